import { bucketOf } from '@portcullis/contracts/snapshot';
import type { Server, Transaction } from '@portcullis/database';
import type { ChangeDetail, Subject } from '../changes/author.js';
import type { Dirty } from '../changes/policy-changes.js';
import { lockDefinitions } from '../servers/definitions.repository.js';
import type { Findings } from './discover-server.js';
import { driftOf, driftWithinDay, recordDrift, TLS_KEY, type SeenChange } from './record-drift.js';
import { seenServer, updateSeen, type SeenServer } from './seen-server.js';
import { storeDefinitions, type DefinitionChanges, type Sighting } from './store-definitions.js';

/** A discovery that ended well: of which server, asked at which address, begun when. */
export interface FinishedDiscovery {
  readonly serverId: string;
  readonly url: string;
  readonly protocol: Server['protocol'];
  readonly transportPin: string;
  readonly startedAt: Date;
  readonly findings: Findings;
  /** The public key it showed for TLS (`Egress.peerKeyOf`), where it showed one. */
  readonly tlsKey?: string | undefined;
}

/** What became of the findings. `isStored` false: the server is gone, or has another address by now, so they say nothing of it. */
export interface StoredFindings {
  readonly isStored: boolean;
  /** Set where the server changed something since it was last seen, or something for agents. */
  readonly told?: { readonly subject: Subject; readonly change: ChangeDetail };
  /** Set where something changed for agents. */
  readonly dirty?: readonly Dirty[];
  readonly turnedOut?: { readonly action: string; readonly reason: string };
}

/** Names that an event lists one by one; the counts are always complete. */
const NAMES_MAX = 200;

/**
 * Writes what discoveries found, of each server once, in the caller's transaction: definitions, history of changes, and the suspension of a server that
 * changed too much. Gives what became of each.
 */
export async function storeFindings(tx: Transaction, finished: readonly FinishedDiscovery[]): Promise<StoredFindings[]> {
  const ids = finished.map(({ serverId }) => serverId);
  await lockDefinitions(tx, ids); // decisions of operators wait, or are seen here
  const servers = new Map((await tx.server.findMany({ where: { id: { in: ids } } })).map((server) => [server.id, server]));
  const sightings = finished.flatMap((one) => {
    const server = servers.get(one.serverId);
    if (server === undefined || isElsewhere(server, one)) return [];
    return [{ server, findings: one.findings, tlsKey: one.tlsKey, at: one.startedAt, found: one.findings.definitions }];
  });
  const stored = new Map<string, StoredFindings>();
  const seen: SeenServer[] = [];
  for (const [place, changes] of (await storeDefinitions(tx, sightings)).entries()) {
    const sighting = sightings[place];
    if (sighting === undefined) continue;
    const { outcome, row } = await judge(tx, sighting, changes);
    stored.set(sighting.server.id, outcome);
    seen.push(row);
  }
  await updateSeen(tx, seen);
  return finished.map(({ serverId }) => stored.get(serverId) ?? { isStored: false });
}

type AboutServer = Sighting & Pick<FinishedDiscovery, 'findings' | 'tlsKey'>;

/** What became of the server, now that its definitions are stored: its history is written, what its own row is to say is given. */
async function judge(
  tx: Transaction,
  { server, findings, tlsKey, at }: AboutServer,
  { approved, withheld, seen }: DefinitionChanges,
): Promise<{ outcome: StoredFindings; row: SeenServer }> {
  const drift = driftOf(server, [...seen, ...serverChanges(server, findings), ...keyChange(server, tlsKey)]);
  await recordDrift(tx, server, drift, at);
  const suspension = await suspensionOf(tx, server, countedOf(drift), at);
  const differs = aboutFields.filter((field) => server[field] !== findings[field]);
  const row = {
    ...seenServer(server, findings, at, seen.length > 0),
    tls_key: tlsKey ?? server.tlsKey,
    suspended_reason: suspension?.reason ?? null,
  };
  const isGone = seen.some(({ change }) => change === 'removed'); // also of what was withheld already, which nodes name
  const concernsAgents = differs.length > 0 || approved.length > 0 || withheld.length > 0 || isGone || suspension !== undefined;
  if (!concernsAgents && drift.length === 0) return { outcome: { isStored: true }, row };
  const told = { subject: { kind: 'server', id: server.id, slug: server.slug }, change: { fields: differs, approved, withheld, ...detailOf(drift) } };
  const turnedOut = suspension === undefined ? drifted(drift) : { action: 'server.suspended', reason: suspension.reason };
  if (!concernsAgents) return { outcome: { isStored: true, told, ...(turnedOut && { turnedOut }) }, row };
  const dirty = [{ kind: 'servers' as const, bucket: bucketOf(server.id) }];
  return { outcome: { isStored: true, told, dirty, ...(turnedOut && { turnedOut }) }, row };
}

/** Whether the operator has meanwhile said where else, or how else, it is to be asked. */
const isElsewhere = (server: Server, asked: FinishedDiscovery): boolean =>
  server.url !== asked.url || server.protocol !== asked.protocol || server.transportPin !== asked.transportPin;

const aboutFields = ['era', 'bothEras', 'transport', 'capabilitiesJson'] as const;

function drifted(drift: readonly SeenChange[]): StoredFindings['turnedOut'] {
  const counted = countedOf(drift);
  const changes = counted === 0 ? [] : [`${String(counted)} changes by the server`];
  const key = counted === drift.length ? [] : ['another public key for TLS'];
  return drift.length === 0 ? undefined : { action: 'server.drifted', reason: [...changes, ...key].join(', ') };
}

const countedOf = (drift: readonly SeenChange[]): number => drift.filter(({ change }) => change !== TLS_KEY).length;

const jsonBytes = (value: object): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(JSON.stringify(value)));

/** What a server says of itself is no definition, and its changes are worth knowing all the same. */
function serverChanges(server: Server, findings: Findings): SeenChange[] {
  const before = { era: server.era, software: server.software };
  const { era, software } = findings;
  // A server seen before its software was noted has not changed it.
  if (before.era === era && (before.software ?? software) === software) return [];
  return [{ change: 'server', beforeJson: jsonBytes(before), afterJson: jsonBytes({ era, software }) }];
}

/** Somebody else may answer under the same name, or the certificate was renewed: only an operator can tell. The first key that is seen is no change. */
function keyChange({ tlsKey: before }: Server, tlsKey: string | undefined): SeenChange[] {
  if (before === null || tlsKey === undefined || tlsKey === before) return [];
  return [{ change: TLS_KEY, beforeJson: jsonBytes({ tlsKey: before }), afterJson: jsonBytes({ tlsKey }) }];
}

/** A server that changes all the time would keep everybody busy, and hide the change that matters among the others. */
async function suspensionOf(tx: Transaction, server: Server, added: number, at: Date) {
  if (added === 0 || server.suspendedAt !== null || server.driftCountedSince === null) return undefined;
  const count = await driftWithinDay(tx, server, at);
  if (count <= server.driftBudgetPerDay) return undefined;
  const reason = `${String(count)} changes within 24 hours, of which ${String(server.driftBudgetPerDay)} are allowed`;
  return { reason };
}

function detailOf(drift: readonly SeenChange[]): ChangeDetail {
  const named = (change: SeenChange['change']): string[] =>
    drift.flatMap((one) => (one.change === change ? [`${one.kind ?? ''} ${one.name ?? ''}`.trim()] : []));
  const drifts = { added: named('added'), changed: named('changed'), removed: named('removed'), returned: named('returned') };
  const shown = Object.entries(drifts).filter(([, names]) => names.length > 0);
  const isServer = drift.some(({ change }) => change === 'server');
  return {
    drift: {
      count: drift.length,
      ...Object.fromEntries(shown.map(([change, names]) => [change, names.slice(0, NAMES_MAX)])),
      ...(isServer && { server: true }),
      ...(countedOf(drift) < drift.length && { tlsKey: true }),
    },
  };
}
