import { createHash } from 'node:crypto';
import type { Access } from '@portcullis/contracts/api/agents';
import { targetKindOf, type Id, type Slug } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { buildNameTable, canonicalName } from '@portcullis/mcp';
import { compileTable, decide } from '@portcullis/policy';
import type { PolicyServer } from './policy.repository.js';

export interface AccessFacts {
  readonly agent: AgentEntry;
  readonly grants: readonly GrantEntry[];
  /** The servers that the grants name or select, with all their definitions. */
  readonly servers: readonly PolicyServer[];
  /** Slugs of the agent's groups by id. */
  readonly groups: ReadonlyMap<Id, Slug>;
  readonly now: number;
}

type Terms = Pick<Access, 'group' | 'condition' | 'expiresAt'>;
type Granted = Omit<Access, 'wireName' | keyof Terms> & { readonly slug: string; readonly name: string };

/** Everything the agent can see and call now, by the same decision that nodes make, in order of kind and reference. */
export function effectiveAccess({ agent, grants, servers, groups, now }: AccessFacts): Access[] {
  const table = compileTable({ agent, grants });
  const granted = servers.filter(({ enabled }) => enabled).flatMap((server) => grantedOf(server));
  const wires = wireNames(agent, granted);
  const terms = new Map(grants.map((grant) => [grant.id, termsOf(grant, groups)]));
  return granted
    .map(({ slug, name, ...access }) => ({ ...access, ...(terms.get(access.grantId) ?? NO_TERMS), wireName: wires(access.kind, slug, name) }))
    .sort(byKindAndRef);

  function grantedOf(server: PolicyServer): Granted[] {
    const seen = new Set<string>();
    return server.definitions.flatMap((definition) => {
      const { kind: definitionKind, name, served } = definition;
      const kind = targetKindOf[definitionKind];
      if (!served || seen.has(`${kind} ${name}`)) return [];
      const { effect, grantId } = decide(table, { server, kind, name, definition }, undefined, now);
      if (effect === 'deny' || grantId === null) return [];
      seen.add(`${kind} ${name}`);
      return [{ ref: canonicalName(server.slug, name), kind, effect, grantId, slug: server.slug, name }];
    });
  }
}

const NO_TERMS: Terms = { group: null, condition: null, expiresAt: null };

function termsOf({ subject, condition, expiresAt }: GrantEntry, groups: ReadonlyMap<Id, Slug>): Terms {
  const group = 'groupId' in subject ? (groups.get(subject.groupId) ?? null) : null;
  return { group, condition: condition ?? null, expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() };
}

/** Names as lists show them; resources go by their URI, which no prefix may change. */
function wireNames(agent: AgentEntry, granted: readonly Granted[]): (kind: Access['kind'], slug: string, name: string) => string {
  const tableOf = (kind: Access['kind']) =>
    buildNameTable(
      agent.toolNameStyle,
      granted.filter((one) => one.kind === kind),
      sha256,
    );
  const tables = { tools: tableOf('tools'), prompts: tableOf('prompts') };
  return (kind, slug, name) => (kind === 'resources' ? name : (tables[kind].toWire(slug, name) ?? name));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function byKindAndRef(a: Access, b: Access): number {
  return compareKeys([a.kind, a.ref], [b.kind, b.ref]);
}

/** By code unit, so that a cursor means the same on every machine. */
export function compareKeys([kindA, refA]: readonly [string, string], [kindB, refB]: readonly [string, string]): number {
  if (kindA !== kindB) return kindA < kindB ? -1 : 1;
  if (refA === refB) return 0;
  return refA < refB ? -1 : 1;
}
