import { Prisma } from '@portcullis/database';

/** SQL: the days of which there is a part of the trail (`day`), and its table (`oid`). */
export const trailDays = Prisma.sql`SELECT to_date(substr(relname, 5), 'YYYYMMDD') AS day, oid
  FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'audit_event'::regclass AND relname ~ '^day_[0-9]{8}$'`;
