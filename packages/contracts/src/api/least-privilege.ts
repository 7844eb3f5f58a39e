import { z } from 'zod';
import { Slug } from '../names.js';
import { pageQuery, Reference, Timestamp } from './conventions.js';
import { DraftChange } from './drafts.js';
import { Grant } from './grants.js';

/** `unused`: grants by which nothing was allowed. `broad`: grants of which few names were used. `agents`: who holds more than they use. */
export const FindingKind = z.enum(['unused', 'broad', 'agents']);
export type FindingKind = z.infer<typeof FindingKind>;

export const LeastPrivilegeQuery = z.strictObject({
  ...pageQuery,
  /** Looked at are calls of the last so many days, and grants that are older. */
  days: z.coerce.number().int().min(1).max(365).default(30),
  kind: FindingKind.default('unused'),
  agent: Reference.optional(),
});
export type LeastPrivilegeQuery = z.infer<typeof LeastPrivilegeQuery>;

/** For `POST /v1/policy/preview` and, with a reason, `POST /v1/policy/apply`. */
const Draft = z.object({ changes: z.array(DraftChange) });

export const LeastPrivilegeFinding = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('unused'), grant: Grant, draft: Draft }),
    z.object({
      kind: z.literal('broad'),
      grant: Grant,
      /** What was used by this grant, as `server:name`; all that it needs to be. */
      used: z.array(z.string()),
      calls: z.number().int(),
      lastUsedAt: Timestamp,
      draft: Draft,
    }),
    z.object({
      kind: z.literal('agents'),
      agent: Slug,
      /** How many things it may use now, and how many it used. */
      held: z.number().int(),
      used: z.number().int(),
      /** What narrows its own grants to what was used; null where all it holds comes through groups. */
      draft: Draft.nullable(),
    }),
  ])
  .meta({ id: 'LeastPrivilegeFinding' });
export type LeastPrivilegeFinding = z.infer<typeof LeastPrivilegeFinding>;

/** A page may be short and still have a next one. */
export const LeastPrivilegePage = z
  .object({ items: z.array(LeastPrivilegeFinding), nextCursor: z.string().nullable(), days: z.number().int() })
  .meta({ id: 'LeastPrivilegePage' });
export type LeastPrivilegePage = z.infer<typeof LeastPrivilegePage>;
