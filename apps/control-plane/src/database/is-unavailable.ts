import { Prisma } from '@portcullis/database';

/** Whether the database could not be asked at all: unreachable, ended, or no connection free in time. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return (
    error.code.startsWith('P1') ||
    error.code === 'P2024' ||
    error.code === 'P2028' ||
    /reach database server|ECONNREFUSED|ECONNRESET|Connection terminated|57P0[13]/.test(error.message)
  );
}
