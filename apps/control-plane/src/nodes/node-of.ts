import { Node } from '@portcullis/contracts/api/operations';
import type { Node as NodeRow } from '@portcullis/database';

const LIVE_MS = 10_000;

/** A node as operators see it. */
export function nodeOf(row: NodeRow, now: Date): Node {
  const { id, name, url, version, epoch, appliedRevision, policyAgeMs, schemaMax, lastSeenAt } = row;
  return {
    id,
    name,
    url,
    version,
    epoch,
    appliedRevision,
    policyAgeMs,
    schemaMax,
    enrolledAt: row.enrolledAt.toISOString(),
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
    live: lastSeenAt !== null && now.getTime() - lastSeenAt.getTime() <= LIVE_MS,
    refused: Node.shape.refused.parse(row.refused),
  };
}
