import { z } from 'zod';
import { AuditDecision, AuditStatus } from '../audit.js';
import { Id, Slug } from '../names.js';
import { pageQuery, Timestamp } from './conventions.js';

const filterText = z.string().min(1).max(256);
const revision = z.coerce.number().int().nonnegative();
const durationMs = z.coerce.number().nonnegative().max(86_400_000);

/**
 * Which calls are meant: all that match every filter. Filters are exact, but for texts, which are found anywhere in what was kept and in upper and
 * lower case alike (ASCII): `q` in names, reasons, arguments and result summaries, the others in their own. `from` is inclusive, `to` exclusive, both of
 * when a call began. `group` and `owner` mean the agents that are theirs today. `revision` is the policy that the node served from when it decided: of
 * changes that reach a node together only the last is ever named, so what was decided since a change is found by `revisionMin`.
 */
export const auditFilter = {
  agent: filterText.optional(),
  group: Slug.optional(),
  owner: filterText.optional(),
  operator: filterText.optional(),
  server: filterText.optional(),
  tool: filterText.optional(),
  task: filterText.optional(),
  onBehalfOf: filterText.optional(),
  claimedAgent: filterText.optional(),
  method: filterText.optional(),
  decision: AuditDecision.optional(),
  status: z.union([AuditStatus, z.literal('unknown')]).optional(),
  from: Timestamp.optional(),
  to: Timestamp.optional(),
  durationMsMin: durationMs.optional(),
  durationMsMax: durationMs.optional(),
  revision: revision.optional(),
  revisionMin: revision.optional(),
  revisionMax: revision.optional(),
  traceId: filterText.optional(),
  requestId: Id.optional(),
  node: filterText.optional(),
  argumentsText: filterText.optional(),
  resultText: filterText.optional(),
  q: filterText.optional(),
};
export const AuditFilter = z.strictObject(auditFilter);
export type AuditFilter = z.infer<typeof AuditFilter>;

/**
 * Calls, newest first. A page looks for no longer than about a quarter of a second: it may hold fewer items than asked for, or none, and
 * still have a `nextCursor`, which goes on looking. Only a page without one is the end.
 */
export const ListAuditQuery = z.strictObject({ ...pageQuery, ...auditFilter });
export type ListAuditQuery = z.infer<typeof ListAuditQuery>;
