import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const running = new Set();

function endAll() {
  for (const child of running) child.kill('SIGTERM');
}

/**
 * Has a program that cannot watch its parent end with this process: where that fails, is ended or is interrupted, but not where it is killed outright.
 * Gives the child back.
 */
export function endWithUs(child) {
  if (running.size === 0) {
    process.on('exit', endAll);
    for (const signal of SIGNALS) process.on(signal, exitBy);
  }
  running.add(child);
  child.once('close', () => {
    running.delete(child);
    if (running.size > 0) return;
    process.off('exit', endAll);
    for (const signal of SIGNALS) process.off(signal, exitBy);
  });
  return child;
}

const exitBy = (signal) => process.exit(128 + constants.signals[signal]);
