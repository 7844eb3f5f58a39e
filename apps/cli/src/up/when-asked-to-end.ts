const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// One Ctrl-C may arrive several times: from the terminal, and again from whoever started us.
const sameMs = 500;
const parentPollMs = 250;

/** Calls `end` at the first SIGINT, SIGTERM or SIGHUP, or when the parent is gone and that matters; `force` at a second one. */
export function whenAskedToEnd(handlers: { end(): void; force(): void }, exitWithParent: boolean): void {
  let firstAt: number | undefined;
  const ask = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      handlers.end();
    } else if (performance.now() - firstAt >= sameMs) handlers.force();
  };
  for (const signal of signals) process.on(signal, ask);
  if (!exitWithParent) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ask();
  }, parentPollMs);
  timer.unref();
}
