import { Prisma } from '@portcullis/database';
import { callKinds } from '../drafts/recorded-calls.js';
import { beganMs } from './call-began.js';

/** Longer than any name that is asked for, and short enough for three in a key. */
export const NAME_CHARS_MAX = 300;

/** Each bucket ends at so many times its beginning: what lies in its middle is off by 4.9 % at most. */
const BUCKET_RATIO = 1.1;

/** The duration in the middle of a bucket. */
export const bucketMs = (bucket: number): number => Number((BUCKET_RATIO ** (bucket + 0.5) / 1000).toPrecision(4));

/** Rows of calls as numbers to add up, by the hour in which their calls began; `at` of beginnings, `bucket` of answers alone. No name is an empty one. */
export const callRows = (where: Prisma.Sql): Prisma.Sql => Prisma.sql`
  SELECT date_trunc('hour', to_timestamp(${beganMs} / 1000.0), 'UTC') AS start, coalesce(agent, '') AS agent, coalesce(server, '') AS server,
    left(coalesce(tool, ''), ${NAME_CHARS_MAX}::int) AS tool, (phase <> 'outcome')::int AS began, (phase <> 'intent')::int AS ended,
    (phase <> 'intent' AND status IN ('tool_error', 'upstream_error', 'timeout', 'error'))::int AS errors,
    (phase <> 'intent' AND decision = 'deny')::int AS denials, CASE WHEN phase <> 'outcome' THEN at END AS at,
    CASE WHEN phase <> 'intent' AND decision <> 'deny' THEN floor(ln(greatest(duration_us, 1)::float8) / ln(${BUCKET_RATIO}::float8))::bigint END AS bucket
  FROM audit_event WHERE method = ANY(${Object.keys(callKinds)}) AND ${where}`;
