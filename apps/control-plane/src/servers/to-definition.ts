import type { Definition } from '@portcullis/contracts/api/servers';
import type { Definition as DefinitionRow } from '@portcullis/database';
import { parseJson } from '@portcullis/mcp';
import { isServed } from '../snapshots/is-served.js';
import type { ServerRow } from './servers.repository.js';

/** A definition as operators see it. */
export function toDefinition(row: DefinitionRow, server: ServerRow): Definition {
  const { id, kind, name, state, hash, approvedHash, approvedJson } = row;
  // Whatever is not removed was there when the server was last seen.
  const lastSeenAt = state === 'removed' ? row.lastSeenAt : (server.seenAt ?? row.lastSeenAt);
  return {
    id,
    ref: `${server.slug}:${name}`,
    kind,
    name,
    state,
    served: server.enabled && server.suspendedAt === null && isServed(row, server),
    hash,
    approvedHash,
    offered: readJson(row.json),
    approved: approvedJson === null || approvedHash === hash ? null : readJson(approvedJson),
    firstSeenAt: row.firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    decidedAt: row.decidedAt?.toISOString() ?? null,
    decidedBy: row.decidedBy,
  };
}

export const readJson = (bytes: Uint8Array): unknown => parseJson(Buffer.from(bytes).toString('utf8'));
