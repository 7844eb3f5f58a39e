import { z } from 'zod';
import { Id, Slug } from '../names.js';
import { pageOf, pageQuery, Timestamp } from './conventions.js';

export const RETENTION_DAYS_MIN = 7;

/** After how many whole days (UTC) what is on record is dropped, day by day; null: never, which is how an installation begins. */
export const AuditRetention = z.object({ days: z.number().int().min(RETENTION_DAYS_MIN).max(36_500).nullable() }).meta({ id: 'AuditRetention' });
export type AuditRetention = z.infer<typeof AuditRetention>;

export const SetAuditRetention = z
  .strictObject({ ...AuditRetention.shape, reason: z.string().min(1).max(500) })
  .meta({ id: 'SetAuditRetention', example: { days: 400, reason: 'Retention policy 2026, section 3' } });
export type SetAuditRetention = z.infer<typeof SetAuditRetention>;

/** `dryRun`: only says what would be dropped, and is what happens unless it is denied. */
export const RunAuditRetention = z.strictObject({ dryRun: z.boolean().default(true) }).meta({ id: 'RunAuditRetention', example: { dryRun: true } });
export type RunAuditRetention = z.infer<typeof RunAuditRetention>;

/** A day that is older than it has to be kept. `held`: something on it is under a hold. `unsealed`: some of it is in no block yet. `busy`: somebody
 * held it for longer than three seconds; the next run tries again. */
export const AuditRetentionDay = z.object({
  day: z.iso.date(),
  events: z.number().int(),
  bytes: z.number().int(),
  outcome: z.enum(['dropped', 'held', 'unsealed', 'busy']),
  /** Ids of the holds that keep it. */
  holds: z.array(Id),
});
export type AuditRetentionDay = z.infer<typeof AuditRetentionDay>;

export const AuditRetentionRun = z.object({ dryRun: z.boolean(), items: z.array(AuditRetentionDay) }).meta({ id: 'AuditRetentionRun' });
export type AuditRetentionRun = z.infer<typeof AuditRetentionRun>;

/** What is held: everything that meets all that is given; without any of them everything. Whole days are kept for it. */
const held = {
  agent: Slug.optional(),
  server: Slug.optional(),
  callId: Id.optional(),
  from: Timestamp.optional(),
  to: Timestamp.optional(),
};

export const CreateAuditHold = z
  .strictObject({ reason: z.string().min(1).max(500), ...held })
  .meta({ id: 'CreateAuditHold', example: { reason: 'Case 2026-117', agent: 'code-review-agent' } });
export type CreateAuditHold = z.infer<typeof CreateAuditHold>;

export const AuditHold = z
  .object({
    id: Id,
    reason: z.string(),
    agent: Slug.nullable(),
    server: Slug.nullable(),
    callId: Id.nullable(),
    from: Timestamp.nullable(),
    to: Timestamp.nullable(),
    createdBy: z.string(),
    createdAt: Timestamp,
    /** Null while it holds. */
    releasedBy: z.string().nullable(),
    releasedAt: Timestamp.nullable(),
  })
  .meta({ id: 'AuditHold' });
export type AuditHold = z.infer<typeof AuditHold>;

/** Newest first; `released` shows those that hold nothing any more instead of those that do. */
export const AuditHoldsQuery = z.strictObject({
  ...pageQuery,
  released: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});
export type AuditHoldsQuery = z.infer<typeof AuditHoldsQuery>;

export const AuditHoldPage = pageOf(AuditHold).meta({ id: 'AuditHoldPage' });
