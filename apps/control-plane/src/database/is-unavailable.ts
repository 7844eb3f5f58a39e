import { Prisma } from '@portcullis/database';

/** What the pg package says, in errors without a code, of a connection that is not to be had or that Postgres took along as it died. */
const NO_CONNECTION = /^(timeout exceeded when trying to connect|Connection terminated|Client (has encountered a connection error|was closed) )/;
/** How the driver names the same, where it has a name for it. */
const KINDS: ReadonlySet<unknown> = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections']);
/** What Postgres itself answers: a lost connection, no room on a disk or in memory, ended by an operator, a crash or a start, a disk that fails. */
const STATES = /^(08|53|57P0|58030)/;
/** No connection free in time, or a transaction that did not get to its end in time. */
const TOO_LATE: readonly string[] = ['P2024', 'P2028'];

/** Whether the database could not be asked, or could not answer, for a reason that passes: asking again is worth it. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (!(error instanceof Error)) return false;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return NO_CONNECTION.test(error.message) || isPassing(error);
  return error.code.startsWith('P1') || TOO_LATE.includes(error.code) || isPassing(error.meta?.['driverAdapterError']);
}

/** Of an error of the driver, which Prisma passes on as it is or puts into one of its own. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== 'DriverAdapterError') return false;
  const { kind, originalCode } = error.cause as { kind?: unknown; originalCode?: unknown };
  return KINDS.has(kind) || (typeof originalCode === 'string' && STATES.test(originalCode));
}
