import { differsInDescriptionsOnly, isJsonObject, parseJson, type JsonObject } from '@portcullis/mcp';
import type { Definition, Server, Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import { isServed } from '../snapshots/is-served.js';
import type { FoundDefinition } from './collect-list.js';
import { nextState } from './next-state.js';
import type { SeenChange } from './record-drift.js';

type Row = Pick<
  Definition,
  'id' | 'serverId' | 'kind' | 'name' | 'state' | 'json' | 'hash' | 'approvedHash' | 'approvedJson' | 'descriptionsOnly' | 'firstSeenAt'
>;

/** What a discovery changed: kind and name of what agents may see now and could not before, the other way round, and every change it saw. */
export interface DefinitionChanges {
  readonly approved: string[];
  readonly withheld: string[];
  readonly seen: SeenChange[];
}

const WHO_APPROVED_ALL = 'registration (approve: all)';
const keyOf = ({ kind, name }: Pick<Row, 'kind' | 'name'>): string => `${kind} ${name}`;

/** What a server was found to offer, and when it was asked. */
export interface Sighting {
  readonly server: Server;
  readonly found: readonly FoundDefinition[];
  readonly at: Date;
}

/**
 * Brings what is kept of these servers' definitions, each server once, in line with what they offer; gives the changes of each. Nothing is served that
 * is not, by its hash, what was approved.
 */
export async function storeDefinitions(tx: Transaction, sightings: readonly Sighting[]): Promise<DefinitionChanges[]> {
  const omit = { lastSeenAt: true, decidedAt: true, decidedBy: true } as const;
  const rows = await tx.definition.findMany({ where: { serverId: { in: sightings.map(({ server }) => server.id) } }, omit });
  const rowsOf = Map.groupBy(rows, ({ serverId }) => serverId);
  const compared = sightings.map((sighting) => compare(sighting, rowsOf.get(sighting.server.id) ?? []));
  await insertDefinitions(
    tx,
    compared.flatMap(({ added }) => added),
  );
  for (const { server, known, gone, changes } of compared) {
    for (const one of known) await storeSeen(tx, server, one, changes);
    await storeGone(tx, server, gone, changes);
  }
  return compared.map(({ changes }) => changes);
}

function compare({ server, found, at }: Sighting, rows: readonly Row[]) {
  const rowOf = new Map(rows.map((row) => [keyOf(row), row]));
  const offered = new Set(found.map(keyOf));
  const added = found.filter((definition) => !rowOf.has(keyOf(definition))).map((definition) => newRow(server, definition, at));
  const known = found.flatMap((definition) => {
    const row = rowOf.get(keyOf(definition));
    return row === undefined ? [] : [{ row, definition }];
  });
  const gone = rows.filter((row) => !offered.has(keyOf(row)) && row.state !== 'removed');
  const changes: DefinitionChanges = { approved: [], withheld: [], seen: added.map(seenFirst) };
  if (server.approveFirstDiscovery) changes.approved.push(...added.map(keyOf));
  return { server, added, known, gone, changes };
}

type NewRow = ReturnType<typeof newRow>;

const newRow = ({ id: serverId, approveFirstDiscovery }: Server, found: FoundDefinition, at: Date) => ({
  ...found,
  id: v7(),
  serverId,
  at,
  state: approveFirstDiscovery ? ('approved' as const) : ('pending' as const),
});

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text));

const seenFirst = ({ id, kind, name, state, hash, json }: NewRow): SeenChange => ({
  change: 'added',
  definitionId: id,
  kind,
  name,
  state,
  afterHash: hash,
  afterJson: bytesOf(json),
});

/** One statement for all of them: thousands of servers that are seen for the first time offer ten times as many. */
async function insertDefinitions(tx: Transaction, rows: readonly NewRow[]): Promise<void> {
  if (rows.length === 0) return;
  const column = <K extends keyof NewRow>(key: K): NewRow[K][] => rows.map((row) => row[key]);
  await tx.$executeRaw`
    INSERT INTO definition (id, server_id, kind, name, state, json, hash, first_seen_at, last_seen_at, approved_json, approved_hash, decided_at, decided_by)
    SELECT id, server_id, kind::definition_kind, name, state::definition_state, convert_to(json, 'UTF8'), hash, at, at,
      CASE WHEN state = 'approved' THEN convert_to(json, 'UTF8') END, CASE WHEN state = 'approved' THEN hash END,
      CASE WHEN state = 'approved' THEN at END, CASE WHEN state = 'approved' THEN ${WHO_APPROVED_ALL} END
    FROM unnest(${column('id')}::uuid[], ${column('serverId')}::uuid[], ${column('kind')}::text[], ${column('name')}::text[], ${column('state')}::text[],
      ${column('json')}::text[], ${column('hash')}::text[], ${column('at').map((at) => at.toISOString())}::timestamptz[])
      AS added (id, server_id, kind, name, state, json, hash, at)`;
}

async function storeSeen(
  tx: Transaction,
  server: Server,
  { row, definition }: { row: Row; definition: FoundDefinition },
  changes: DefinitionChanges,
): Promise<void> {
  const { hash } = definition;
  const state = nextState(row, hash);
  const json = bytesOf(definition.json);
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
  const value: unknown = parseJson(Buffer.from(bytes).toString('utf8'));
  return isJsonObject(value) ? value : {};
}
