import { z } from 'zod';
import { Id, Slug } from '../names.js';

/** A path or body reference to a server, agent or group: its UUID or its slug. */
export const Reference = z.union([Id, Slug]);
export type Reference = z.infer<typeof Reference>;

/** RFC 3339 in UTC, as every time in REST. */
export const Timestamp = z.iso.datetime({ offset: true }).refine(isStorable, 'must lie in the years 1 to 9999');

export const PAGE_LIMIT_MAX = 200;
export const PAGE_LIMIT_DEFAULT = 50;

/** What lists are ordered by may be a URI of 2,048 characters that take three bytes each: whatever a list gives out has to be taken again. */
export const CURSOR_CHARS_MAX = 12_000;

/** Keyset paging of every list: `cursor` is opaque and comes from `nextCursor` of the page before. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
  cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional(),
};
export const PageQuery = z.strictObject(pageQuery);
export type PageQuery = z.infer<typeof PageQuery>;

export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** RFC 9457 problem document; `errors` names each fault by JSON pointer (RFC 6901) into the body, or by parameter. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** Why a change is made; kept in the revision. */
export const Reason = z.string().max(500);

/** Set on every answer to a change of policy: the revision that holds it. */
export const REVISION_HEADER = 'x-policy-revision';

/** Set where not every live node had applied the change in time: their names. The status is 202 then, and the change stays made. */
export const LAGGING_HEADER = 'x-policy-lagging';

/** Sent with a change that widens what the operator's own agents may do: why it has to be now and by them. Kept in revision and audit trail. */
export const BREAK_GLASS_HEADER = 'x-break-glass';
/** At least ten characters that say something. */
export const BreakGlassReason = z.string().trim().min(10).max(500);

/** Sent with a `POST` that changes something: it is carried out once, and a repetition of the same request is answered as it was. For 24 hours. */
export const IDEMPOTENCY_KEY_HEADER = 'idempotency-key';
export const IDEMPOTENCY_KEY_CHARS_MAX = 255;
/** Set on an answer that was given before. */
export const IDEMPOTENCY_REPLAYED_HEADER = 'idempotency-replayed';

/** Set on the answer to a rehearsal: nothing was changed. */
export const DRY_RUN_HEADER = 'x-dry-run';

/** On every change of policy: `all` holds the answer back until every live node has applied the change, at most `timeout` seconds. `reason` says why. */
export const ChangeQuery = z.strictObject({
  wait: z.literal('all').optional(),
  timeout: z.coerce.number().int().min(1).max(60).default(20),
  /** For changes whose body has none; one in the body goes before it. */
  reason: Reason.optional(),
});
export type ChangeQuery = z.infer<typeof ChangeQuery>;

/** Every change of policy can be rehearsed: `dryRun` tells what would change, and for whom (`ApplyResult`), and leaves everything as it is. */
export const RehearsableQuery = ChangeQuery.extend({ dryRun: z.enum(['true', 'false']).default('false') });
export type RehearsableQuery = z.infer<typeof RehearsableQuery>;

/** Years that every date of ours, of Postgres and of the two-way text between them has, whatever the offset it is written with. */
function isStorable(text: string): boolean {
  const at = Date.parse(text);
  return at >= Date.parse('0001-01-01T00:00:00Z') && at <= Date.parse('9999-12-31T23:59:59.999Z');
}
