import type { Id, Slug } from '@portcullis/contracts/names';
import type { AgentEntry, AgentKeyEntry, Digest, GrantEntry, ServerEntry, SettingsEntry } from '@portcullis/contracts/snapshot';

/** What differs from the snapshot served before; everything, for the first. */
export interface SnapshotChange {
  readonly settings: boolean;
  readonly serverIds: ReadonlySet<Id>;
  readonly agentIds: ReadonlySet<Id>;
  /** Agents and groups whose grants differ. */
  readonly subjectIds: ReadonlySet<Id>;
}

/**
 * All policy of one revision, whole and never altered. Entries, and the grants of a subject, that are the same as in the snapshot before are the
 * same objects, so that caches may be keyed by them. A grant may name a server that does not exist; it has no effect.
 */
export interface PolicySnapshot {
  readonly epoch: number;
  readonly revision: number;
  readonly rootDigest: Digest;
  readonly settings: SettingsEntry;
  readonly servers: ReadonlyMap<Id, ServerEntry>;
  readonly serversBySlug: ReadonlyMap<Slug, ServerEntry>;
  readonly agents: ReadonlyMap<Id, AgentEntry>;
  readonly agentsBySlug: ReadonlyMap<Slug, AgentEntry>;
  /** Keys of all agents (`keysOfAgent`), disabled agents and expired keys included. */
  readonly agentByKeyId: ReadonlyMap<string, { readonly agent: AgentEntry; readonly key: AgentKeyEntry }>;
  /** Grants by the agent's or group's id, in order of grant id. */
  readonly grantsBySubject: ReadonlyMap<Id, readonly GrantEntry[]>;
  readonly changed: SnapshotChange;
}

/** How a snapshot differs from none. */
export function everythingOf(snapshot: PolicySnapshot): SnapshotChange {
  return {
    settings: true,
    serverIds: new Set(snapshot.servers.keys()),
    agentIds: new Set(snapshot.agents.keys()),
    subjectIds: new Set(snapshot.grantsBySubject.keys()),
  };
}
