import type { PrismaClient } from '@portcullis/database';

/** Whether Postgres answers right now. Never rejects, so that readiness can say which service is missing. */
export const isAnswering = (database: PrismaClient): Promise<boolean> =>
  database.$queryRaw`SELECT 1`.then(
    () => true,
    () => false,
  );
