import { bucketOf } from '@portcullis/contracts/snapshot';
import type { Definition, Server, Transaction } from '@portcullis/database';
import type { PolicyChange } from '../changes/policy-changes.js';
import type { FoundDefinition } from './collect-list.js';
import type { Findings } from './discover-server.js';
import { nextState } from './next-state.js';

/** A discovery that ended well: of which server, asked at which address, begun when. */
export interface FinishedDiscovery {
  readonly serverId: string;
  readonly url: string;
  readonly protocol: Server['protocol'];
  readonly startedAt: Date;
  readonly findings: Findings;
}

/** `false`: the server is gone, or has another address by now, so the findings say nothing of it. */
export type StoredFindings = PolicyChange<boolean>;

type Row = Pick<Definition, 'id' | 'kind' | 'name' | 'state' | 'json' | 'hash' | 'approvedHash'>;

const WHO_APPROVED_ALL = 'registration (approve: all)';

/** Writes what a discovery found, in the caller's transaction. Says what changed for agents, if anything did. */
export async function storeFindings(tx: Transaction, { serverId, url, protocol, startedAt, findings }: FinishedDiscovery): Promise<StoredFindings> {
  await tx.$queryRaw`SELECT 1 FROM server WHERE id = ${serverId}::uuid FOR UPDATE`; // decisions of operators wait, or are seen here
  const server = await tx.server.findUnique({ where: { id: serverId } });
  if (server === null || server.url !== url || server.protocol !== protocol) return { result: false, unchanged: true };
  const changes = await storeDefinitions(tx, server, findings.definitions, startedAt);
  const { era, bothEras, transport, capabilitiesJson, instructions, problems } = findings;
  const about = { era, bothEras, transport, capabilitiesJson, instructions };
  const differs = (['era', 'bothEras', 'transport', 'capabilitiesJson', 'instructions'] as const).filter((field) => server[field] !== about[field]);
  await tx.server.update({
    where: { id: serverId },
    data: {
      ...about,
      // A verdict is dated when it was reached: one that was only taken over must not live for ever.
      ...(era === 'legacy' && server.era === 'legacy' && server.eraSeenAt !== null ? {} : { eraSeenAt: startedAt }),
      approveFirstDiscovery: false,
      discoveredAt: startedAt,
      discoveryError: null,
      discoveryProblems: problems.map((problem) => ({ ...problem })),
    },
  });
  const { approved, withheld } = changes;
  if (differs.length === 0 && approved.length === 0 && withheld.length === 0) return { result: true, unchanged: true };
  return {
    result: true,
    subject: { kind: 'server', id: serverId, slug: server.slug },
    change: { fields: differs, approved, withheld },
    dirty: [{ kind: 'servers', bucket: bucketOf(serverId) }],
  };
}

/** Canonical names of what agents may see now and could not before, and the other way round. */
interface Changes {
  readonly approved: string[];
  readonly withheld: string[];
}

async function storeDefinitions(tx: Transaction, server: Server, found: readonly FoundDefinition[], at: Date): Promise<Changes> {
  const rows = await tx.definition.findMany({
    where: { serverId: server.id },
    select: { id: true, kind: true, name: true, state: true, json: true, hash: true, approvedHash: true },
  });
  const keyOf = ({ kind, name }: Pick<Row, 'kind' | 'name'>): string => `${kind} ${name}`;
  const known = new Map(rows.map((row) => [keyOf(row), row]));
  const changes: Changes = { approved: [], withheld: [] };
  const added = found.filter((definition) => !known.has(keyOf(definition)));
  await tx.definition.createMany({ data: added.map((definition) => newRow(server, definition, at)) });
  if (server.approveFirstDiscovery) changes.approved.push(...added.map(keyOf));
  for (const definition of found) {
    const row = known.get(keyOf(definition));
    if (row !== undefined) await storeSeen(tx, row, definition, changes);
  }
  const seen = new Set(found.map(keyOf));
  const gone = rows.filter((row) => !seen.has(keyOf(row)) && row.state !== 'removed');
  await tx.definition.updateMany({ where: { id: { in: gone.map(({ id }) => id) } }, data: { state: 'removed' } });
  changes.withheld.push(...gone.filter(({ state }) => state === 'approved').map(keyOf));
  const stillThere = rows.filter((row) => seen.has(keyOf(row))).map(({ id }) => id);
  await tx.definition.updateMany({ where: { id: { in: stillThere } }, data: { lastSeenAt: at } });
  return changes;
}

function newRow(server: Server, { kind, name, json, hash }: FoundDefinition, at: Date) {
  const bytes = Uint8Array.from(Buffer.from(json));
  const row = { serverId: server.id, kind, name, json: bytes, hash, firstSeenAt: at, lastSeenAt: at };
  if (!server.approveFirstDiscovery) return { ...row, state: 'pending' as const };
  return { ...row, state: 'approved' as const, approvedJson: bytes, approvedHash: hash, decidedAt: at, decidedBy: WHO_APPROVED_ALL };
}

async function storeSeen(tx: Transaction, row: Row, { json, hash }: FoundDefinition, changes: Changes): Promise<void> {
  const state = nextState(row, hash);
  const bytes = Buffer.from(json);
  if (state === row.state && bytes.equals(row.json)) return;
  await tx.definition.update({ where: { id: row.id }, data: { state, hash, json: Uint8Array.from(bytes) } });
  const name = `${row.kind} ${row.name}`;
  if (state === 'approved' && row.state !== 'approved') changes.approved.push(name);
  if (state !== 'approved' && row.state === 'approved') changes.withheld.push(name);
}
