import type { Id } from '@portcullis/contracts/names';
import type { AgentEntry, ChunkKind, Digest, GrantEntry, SettingsEntry, SnapshotHead, SnapshotRoot } from '@portcullis/contracts/snapshot';
import { Breath } from './breath.js';
import { subjectIdOf } from './encode-chunk.js';
import { keysOfAgent } from './keys-of-agent.js';
import type { BucketList, BucketUpdate, BucketUpdates, KeyOfAgent, LoadedSnapshot } from './loaded-snapshot.js';
import { sameServer } from './packed-definition.js';
import { SharedMap, type SharedMapEdit } from './shared-map.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** All parts of a snapshot, read and checked one by one. */
export interface SnapshotParts {
  readonly head: SnapshotHead;
  readonly root: SnapshotRoot;
  readonly buckets: Readonly<Record<ChunkKind, BucketList>>;
  readonly settings: SettingsEntry;
  readonly updates: BucketUpdates;
  readonly sizes: SharedMap<number>;
  readonly gone: readonly Digest[];
  readonly bytesTotal: number;
}

type BucketIds = readonly (readonly Id[] | undefined)[];

/**
 * Puts a snapshot together from the one before and the buckets that differ, with pauses for other work; what did not change is shared with the one
 * before. Throws a SnapshotRefusal where two entries claim one name.
 */
export async function composeSnapshot({ updates, ...rest }: SnapshotParts, previous: LoadedSnapshot | undefined): Promise<LoadedSnapshot> {
  const { head, root, settings } = rest;
  const [before, ids] = [previous?.parts, previous?.ids];
  const breath = new Breath();
  const servers = await merge({ entries: before?.servers, ids: ids?.servers, entriesOf: byId, same: sameServer, breath }, updates.servers);
  const agents = await merge({ entries: before?.agents, ids: ids?.agents, entriesOf: byId, same: sameJson, breath }, updates.agents);
  const grants = await merge({ entries: before?.grantsBySubject, ids: ids?.grants, entriesOf: bySubject, same: sameJson, breath }, updates.grants);
  const parts = {
    servers: servers.entries,
    serversBySlug: await slugs(before?.serversBySlug, servers, breath),
    agents: agents.entries,
    agentsBySlug: await slugs(before?.agentsBySlug, agents, breath),
    agentByKeyId: await keys(before?.agentByKeyId, agents, breath),
    grantsBySubject: grants.entries,
  };
  const changed = {
    settings: settings !== previous?.snapshot.settings,
    serverIds: servers.changed,
    agentIds: agents.changed,
    subjectIds: grants.changed,
  };
  return {
    root,
    buckets: rest.buckets,
    sizes: rest.sizes,
    gone: rest.gone,
    bytesTotal: rest.bytesTotal,
    parts,
    ids: { servers: servers.ids, agents: agents.ids, grants: grants.ids },
    snapshot: { epoch: head.epoch, revision: head.revision, rootDigest: head.rootDigest, settings, ...parts, changed },
  };
}

interface Merged<Entry> {
  readonly entries: SharedMap<Entry>;
  readonly ids: BucketIds;
  readonly changed: ReadonlySet<Id>;
  /** Entries that are no longer there, or not like this. */
  readonly gone: readonly Entry[];
  readonly fresh: readonly Entry[];
}

function bySubject(grants: readonly GrantEntry[]): ReadonlyMap<Id, readonly GrantEntry[]> {
  return Map.groupBy(grants, subjectIdOf);
}

function byId<Entry extends { readonly id: Id }>(items: readonly Entry[]): ReadonlyMap<Id, Entry> {
  return new Map(items.map((item) => [item.id, item]));
}

interface MergeInto<Item, Entry> {
  readonly entries: SharedMap<Entry> | undefined;
  readonly ids: BucketIds | undefined;
  readonly entriesOf: (items: readonly Item[]) => ReadonlyMap<Id, Entry>;
  readonly same: (was: Entry, is: Entry) => boolean;
  readonly breath: Breath;
}

const sameJson = (was: unknown, is: unknown): boolean => JSON.stringify(was) === JSON.stringify(is);

/** Entries that say the same as before stay the same objects. An id lies in the bucket it names, so no two buckets can claim it. */
async function merge<Item, Entry>(into: MergeInto<Item, Entry>, updates: readonly BucketUpdate<Item>[]): Promise<Merged<Entry>> {
  const { entries: before = new SharedMap<Entry>(), ids: idsBefore = [], entriesOf, same, breath } = into;
  const [entries, ids, changed] = [before.edit(), [...idsBefore], new Set<Id>()];
  const [gone, fresh]: [Entry[], Entry[]] = [[], []];
  for (const { bucket, items } of updates) {
    if (breath.isDue) await breath.take();
    const now = entriesOf(items);
    for (const id of new Set([...(idsBefore[bucket] ?? []), ...now.keys()])) {
      const [was, is] = [before.get(id), now.get(id)];
      if (was !== undefined && is !== undefined && same(was, is)) continue;
      changed.add(id);
      if (was !== undefined) gone.push(was);
      if (is === undefined) entries.delete(id);
      else entries.set(id, is);
      if (is !== undefined) fresh.push(is);
    }
    ids[bucket] = now.size === 0 ? undefined : [...now.keys()];
  }
  return { entries: entries.done(), ids, changed, gone, fresh };
}

async function slugs<Entry extends { readonly slug: string }>(
  before = new SharedMap<Entry>(),
  { gone, fresh }: Merged<Entry>,
  breath: Breath,
): Promise<SharedMap<Entry>> {
  const next = before.edit();
  for (const entry of gone) {
    if (breath.isDue) await breath.take();
    next.delete(entry.slug);
  }
  for (const entry of fresh) {
    if (breath.isDue) await breath.take();
    claim(next, entry.slug, entry);
  }
  return next.done();
}

async function keys(before = new SharedMap<KeyOfAgent>(), { gone, fresh }: Merged<AgentEntry>, breath: Breath): Promise<SharedMap<KeyOfAgent>> {
  const next = before.edit();
  for (const agent of gone) {
    if (breath.isDue) await breath.take();
    for (const { id } of keysOfAgent(agent)) next.delete(id);
  }
  for (const agent of fresh) {
    if (breath.isDue) await breath.take();
    for (const key of keysOfAgent(agent)) claim(next, key.id, { agent, key });
  }
  return next.done();
}

/** Two servers or agents under one slug, or two agents under one key, would make a call mean something else than was granted. */
function claim<Value>(names: SharedMapEdit<Value>, name: string, value: Value): void {
  if (names.has(name)) throw new SnapshotRefusal('duplicate', name);
  names.set(name, value);
}
