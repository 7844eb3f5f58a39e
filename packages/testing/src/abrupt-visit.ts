import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What somebody sends on one connection before hanging up, and how they do that. */
export interface AbruptVisit {
  readonly bytes: Buffer;
  /** Where the bytes are parted into two writes. */
  readonly partedAt: number;
  /** Not even waiting until all is written; with the first byte of an answer; or so many turns of the event loop after it was written. */
  readonly when: 'at once' | 'answered' | number;
  readonly ending: 'fin' | 'rst' | 'destroy';
  /** Whether the answer is left unread. */
  readonly isDeaf: boolean;
}

/** A connection, and what carries it where that is another. */
export interface Visited {
  readonly socket: Socket;
  readonly below?: Socket;
}

/** Connects to a port of this machine. */
export async function visit(port: number): Promise<Visited> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return { socket };
}

/** Sends what a visit sends, and hangs up. `answered` resolves when whoever is to be answered at all has been. */
export async function visitAbruptly(
  { bytes, partedAt, when, ending, isDeaf }: AbruptVisit,
  { socket, below = socket }: Visited,
  answered: () => Promise<unknown>,
): Promise<void> {
  for (const one of [socket, below]) one.on('error', () => undefined);
  const closed = new Promise((resolve) => below.once('close', resolve));
  const first = new Promise((resolve) => socket.once('data', resolve));
  if (isDeaf && when !== 'answered') socket.pause();
  if (partedAt > 0) socket.write(bytes.subarray(0, partedAt));
  const written = new Promise((resolve) => socket.write(bytes.subarray(partedAt), resolve));
  if (when !== 'at once') await Promise.race([written, closed]);
  if (when === 'answered') await Promise.race([first, closed, answered()]);
  else for (let turn = 0; turn < Number(when); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (isDeaf) socket.pause();
  if (ending === 'fin') {
    socket.end();
    await answered(); // what will never be answered would never end
  }
  // One that is ending by itself cannot be reset, and would not even be closed.
  if (ending === 'rst' && !below.writableEnded) below.resetAndDestroy();
  else below.destroy();
  await closed;
}

/** What nobody caught while `action` ran, which else would end a process of ours. */
export async function whateverWasUncaught(action: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.prependListener('uncaughtException', note).prependListener('unhandledRejection', note);
  try {
    await action();
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note);
  }
  return uncaught;
}

const SHARES = [0, 0.3, 0.9, 0.99, 1];
const WHENS: readonly AbruptVisit['when'][] = ['at once', 0, 1, 3, 'answered'];
const ENDINGS: readonly AbruptVisit['ending'][] = ['rst', 'fin', 'destroy'];

/**
 * Visits a listener with each of these requests, whole and cut, and hangs up in every way and at every moment. One that serves only once is made anew each
 * time. Gives what nobody caught, by the request it was caught after; `answered` as for a visit, and it rejects where nobody is served any more.
 */
export async function hangUpOn(
  port: number,
  requests: Readonly<Record<string, string | (() => string)>>,
  answered: () => Promise<unknown>,
): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const [what, request] of Object.entries(requests)) {
    for (const share of SHARES) {
      const uncaught = await whateverWasUncaught(async () => {
        const ways = WHENS.flatMap((when, at) => ENDINGS.map((ending) => ({ when, ending, at })));
        const visits = ways.map(async ({ at, ...way }) => {
          const whole = Buffer.from(typeof request === 'string' ? request : request(), 'latin1');
          const bytes = whole.subarray(0, Math.round(whole.length * share));
          await visitAbruptly({ ...way, bytes, partedAt: at % 2 === 0 ? 0 : bytes.length >> 1, isDeaf: at % 3 === 0 }, await visit(port), answered);
        });
        await Promise.all(visits);
        await answered();
      });
      found.push(...uncaught.map((error) => ({ what, share, error })));
    }
  }
  return found;
}
