import { z } from 'zod';
import { GrantMode } from '../grants.js';
import { Id } from '../names.js';
import { exampleShadowReport } from './audit-examples.js';
import { Timestamp } from './conventions.js';

/** From when on; seven days ago unless it says otherwise. */
export const ShadowReportQuery = z.strictObject({ since: Timestamp.optional() });
export type ShadowReportQuery = z.infer<typeof ShadowReportQuery>;

/**
 * What a grant in the mode `shadow` would have changed, from the audit trail: calls that it would have decided otherwise, had all shadow grants of
 * their agents been enforced. Agents and tools with the most calls first.
 */
export const ShadowReport = z
  .object({
    grantId: Id,
    mode: GrantMode,
    since: Timestamp,
    wouldAllow: z.number().int(),
    wouldDeny: z.number().int(),
    rows: z.array(
      z.object({
        agent: z.string().nullable(),
        server: z.string().nullable(),
        tool: z.string().nullable(),
        /** What would have been decided. */
        decision: z.enum(['allow', 'deny']),
        calls: z.number().int(),
        lastAt: Timestamp,
        /** The newest calls: `GET /v1/audit/events/{callId}` shows each. */
        samples: z.array(Id),
      }),
    ),
    /** Whether there are more pairs of agent and tool than are shown; the sums are of all. */
    truncated: z.boolean(),
  })
  .meta({ id: 'ShadowReport', examples: [exampleShadowReport] });
export type ShadowReport = z.infer<typeof ShadowReport>;
