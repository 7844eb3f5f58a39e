import { differsInDescriptionsOnly, isJsonObject, type JsonObject } from '@portcullis/mcp';
import type { Definition, Server, Transaction } from '@portcullis/database';
import { isServed } from '../snapshots/is-served.js';
import type { FoundDefinition } from './collect-list.js';
import { nextState } from './next-state.js';
import type { SeenChange } from './record-drift.js';

type Row = Pick<
  Definition,
  'id' | 'kind' | 'name' | 'state' | 'json' | 'hash' | 'approvedHash' | 'approvedJson' | 'descriptionsOnly' | 'firstSeenAt'
>;

/** What a discovery changed: kind and name of what agents may see now and could not before, the other way round, and every change it saw. */
export interface DefinitionChanges {
  readonly approved: string[];
  readonly withheld: string[];
  readonly seen: SeenChange[];
}

const WHO_APPROVED_ALL = 'registration (approve: all)';
const keyOf = ({ kind, name }: Pick<Row, 'kind' | 'name'>): string => `${kind} ${name}`;

/** Brings what is kept of a server's definitions in line with what it offers. Nothing is served that is not, by its hash, what was approved. */
export async function storeDefinitions(tx: Transaction, server: Server, found: readonly FoundDefinition[], at: Date): Promise<DefinitionChanges> {
  const rows: Row[] = await tx.definition.findMany({ where: { serverId: server.id }, omit: { lastSeenAt: true, decidedAt: true, decidedBy: true } });
  const known = new Map(rows.map((row) => [keyOf(row), row]));
  const changes: DefinitionChanges = { approved: [], withheld: [], seen: [] };
  await storeNew(tx, server, { found: found.filter((definition) => !known.has(keyOf(definition))), at }, changes);
  for (const definition of found) {
    const row = known.get(keyOf(definition));
    if (row !== undefined) await storeSeen(tx, server, { row, definition }, changes);
  }
  const offered = new Set(found.map(keyOf));
  await storeGone(
    tx,
    server,
    rows.filter((row) => !offered.has(keyOf(row)) && row.state !== 'removed'),
    changes,
  );
  return changes;
}

async function storeNew(
  tx: Transaction,
  server: Server,
  { found, at }: { found: readonly FoundDefinition[]; at: Date },
  changes: DefinitionChanges,
): Promise<void> {
  if (found.length === 0) return;
  const created = await tx.definition.createManyAndReturn({
    data: found.map((definition) => newRow(server, definition, at)),
    select: { id: true, kind: true, name: true, state: true, hash: true, json: true },
  });
  if (server.approveFirstDiscovery) changes.approved.push(...created.map(keyOf));
  for (const { id, kind, name, state, hash, json } of created)
    changes.seen.push({ change: 'added', definitionId: id, kind, name, state, afterHash: hash, afterJson: json });
}

function newRow(server: Server, { kind, name, json, hash }: FoundDefinition, at: Date) {
  const bytes = Uint8Array.from(Buffer.from(json));
  const row = { serverId: server.id, kind, name, json: bytes, hash, firstSeenAt: at, lastSeenAt: at };
  if (!server.approveFirstDiscovery) return { ...row, state: 'pending' as const };
  return { ...row, state: 'approved' as const, approvedJson: bytes, approvedHash: hash, decidedAt: at, decidedBy: WHO_APPROVED_ALL };
}

async function storeSeen(
  tx: Transaction,
  server: Server,
  { row, definition }: { row: Row; definition: FoundDefinition },
  changes: DefinitionChanges,
): Promise<void> {
  const { hash } = definition;
  const state = nextState(row, hash);
  const json = Uint8Array.from(Buffer.from(definition.json));
  if (state === row.state && Buffer.from(row.json).equals(json)) return;
  const descriptionsOnly = state === 'changed' && row.approvedJson !== null && isReworded(row.approvedJson, json);
  await tx.definition.update({ where: { id: row.id }, data: { state, hash, json, descriptionsOnly } });
  const wasServed = isServed(row, server);
  const isNowServed = isServed({ ...row, state, descriptionsOnly }, server);
  if (isNowServed && !wasServed) changes.approved.push(keyOf(row));
  if (wasServed && !isNowServed) changes.withheld.push(keyOf(row));
  // Other white space or another order of members is no change.
  if (state === row.state && hash === row.hash) return;
  const isReturned = state === 'approved' || hash === row.hash;
  changes.seen.push({
    change: isReturned ? 'returned' : 'changed',
    definitionId: row.id,
    kind: row.kind,
    name: row.name,
    state,
    beforeHash: row.hash,
    afterHash: hash,
    beforeJson: row.json,
    afterJson: json,
  });
}

async function storeGone(tx: Transaction, server: Server, gone: readonly Row[], changes: DefinitionChanges): Promise<void> {
  if (gone.length === 0) return;
  await tx.definition.updateMany({
    where: { id: { in: gone.map(({ id }) => id) } },
    data: { state: 'removed', ...(server.seenAt === null ? {} : { lastSeenAt: server.seenAt }) },
  });
  changes.withheld.push(...gone.filter((row) => isServed(row, server)).map(keyOf));
  for (const { id, kind, name, hash, json } of gone)
    changes.seen.push({ change: 'removed', definitionId: id, kind, name, state: 'removed', beforeHash: hash, beforeJson: json });
}

function isReworded(approved: Uint8Array, offered: Uint8Array): boolean {
  return differsInDescriptionsOnly(parse(approved), parse(offered));
}

function parse(bytes: Uint8Array): JsonObject {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return isJsonObject(value) ? value : {};
}
