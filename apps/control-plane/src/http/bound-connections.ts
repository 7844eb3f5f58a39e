import type { Server } from 'node:net';

/** How often it is told at the most that connections are refused. */
const TOLD_EVERY_MS = 60_000;

/**
 * Hangs up on whoever connects while so many connections are open, before anything of theirs is read: each takes a file descriptor and memory, and
 * without those nobody would be served.
 */
export function boundConnections(server: Server, max: number, warn: (message: string) => void): void {
  server.maxConnections = max;
  let toldAt = -Infinity;
  server.on('drop', () => {
    const now = performance.now();
    if (now - toldAt < TOLD_EVERY_MS) return;
    toldAt = now;
    warn(`${max} connections are open; no more are taken`);
  });
}
