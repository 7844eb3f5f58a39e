import { Prisma } from '@portcullis/database';

/** What the pool of the pg package says, in an error without a code. */
const NO_FREE_CONNECTION = 'timeout exceeded when trying to connect';

/** Whether the database could not be asked at all: unreachable, ended, or no connection free in time. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (error instanceof Error && error.message === NO_FREE_CONNECTION) return true;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return (
    error.code.startsWith('P1') ||
    error.code === 'P2024' ||
    error.code === 'P2028' ||
    /reach database server|ECONNREFUSED|ECONNRESET|Connection terminated|57P0[13]/.test(error.message)
  );
}
