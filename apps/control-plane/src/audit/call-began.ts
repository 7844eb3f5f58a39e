import { Prisma } from '@portcullis/database';

/** When a call began, by its id: epoch milliseconds. Both rows of a call say the same. */
export const beganMs = Prisma.sql`('x' || substr(replace(call_id::text, '-', ''), 1, 12))::bit(48)::bigint`;
