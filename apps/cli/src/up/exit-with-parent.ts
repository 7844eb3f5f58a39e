/*
 * Loaded before a program that does not watch its parent itself: asks it to end when the process that started it is gone, however that ended.
 * The parent's pid comes in the URL, so that a parent that died before this runs is noticed too.
 */
const parent = Number(new URL(import.meta.url).searchParams.get('parent'));
const pollMs = 250;
const graceMs = 2_000;

const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), graceMs).unref();
}, pollMs);
timer.unref();
