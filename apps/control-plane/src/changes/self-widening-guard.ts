import { Inject, Injectable } from '@nestjs/common';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { gainedAccess, type Gain } from '@portcullis/policy';
import { COMMITTED_READER } from '../database/database.module.js';
import { ProblemError } from '../http/problem.js';
import { namesOf, type Author } from './author.js';
import { ownedAgents, type OwnedAgent } from './owned-agents.js';
import type { Dirty } from './dirty.js';
import { readReach, type ReachOfAgents } from './read-reach.js';

/** An agent of the author's that a change gives more to. */
export interface Widened {
  readonly agent: string;
  /** The first few gains, as `server:name` or, where no one server is meant, the name alone. */
  readonly gains: readonly string[];
}

const GAINS_NAMED_MAX = 10;

/**
 * Nobody widens an agent of their own. Every change of policy passes here after it was made and before it is committed: what nodes would get is
 * compared with what they have, so it does not matter by which route, row or cascade something was changed.
 */
@Injectable()
export class SelfWideningGuard {
  /** `committed` must not share the pool of the transactions that it looks into, which would wait for it and it for them. */
  constructor(@Inject(COMMITTED_READER) private readonly committed: PrismaClient) {}

  /** What the author's own agents gain. Refuses (403) where that is anything and the author did not break the glass. */
  async check(tx: Transaction, author: Author, dirty: readonly Dirty[]): Promise<readonly Widened[]> {
    // Parts of the system act for nobody.
    if (author.tokenId === undefined || dirty.length === 0) return [];
    const owned = await ownedAgents(tx, namesOf(author));
    if (owned.length === 0) return [];
    const widened = await this.widened(tx, owned, dirty);
    if (widened.length > 0 && author.breakGlass === undefined) throw refusal(widened);
    return widened;
  }

  private async widened(tx: Transaction, owned: readonly OwnedAgent[], dirty: readonly Dirty[]): Promise<readonly Widened[]> {
    const affected = await affectedBy(tx, owned, dirty);
    if (affected.length === 0) return [];
    const ids = affected.map(({ id }) => id);
    const serverBuckets = [...new Set(dirty.flatMap(({ kind, bucket }) => (kind === 'servers' ? [bucket] : [])))];
    // Changes of policy wait for the one that is under way, so what is committed is what was there before it.
    const before = await readReach(this.committed, ids, serverBuckets);
    const after = await readReach(tx, ids, serverBuckets);
    const now = Date.now();
    const gained = affected
      .map(({ id, slug }) => ({ agent: slug, gains: gainedAccess(reachOf(before, id), reachOf(after, id), now).slice(0, GAINS_NAMED_MAX) }))
      .filter(({ gains }) => gains.length > 0);
    const slugs = await slugsOf(
      tx,
      gained.flatMap(({ gains }) => gains),
    );
    return gained.map(({ agent, gains }) => ({ agent, gains: described(gains, slugs) }));
  }
}

/** What is not marked dirty does not get to nodes, so whoever it does not concern cannot gain by it. */
async function affectedBy(tx: Transaction, owned: readonly OwnedAgent[], dirty: readonly Dirty[]): Promise<readonly OwnedAgent[]> {
  if (dirty.some(({ kind }) => kind === 'servers')) return owned;
  const touched = (kind: Dirty['kind']): Set<number> => new Set(dirty.flatMap((one) => (one.kind === kind ? [one.bucket] : [])));
  const [agents, grants] = [touched('agents'), touched('grants')];
  const members = await tx.groupMember.findMany({ where: { agentId: { in: owned.map(({ id }) => id) } } });
  const through = new Set(members.flatMap(({ agentId, groupId }) => (grants.has(bucketOf(groupId)) ? [agentId] : [])));
  return owned.filter(({ id }) => agents.has(bucketOf(id)) || grants.has(bucketOf(id)) || through.has(id));
}

const reachOf = ({ agents, grants, servers }: ReachOfAgents, id: string) => ({ agent: agents.get(id), grants, servers });

function described(gains: readonly Gain[], slugs: ReadonlyMap<string, string>): string[] {
  const texts = gains.map(({ serverId, name }) => (serverId === null ? name : `${slugs.get(serverId) ?? serverId}:${name}`));
  return [...new Set(texts)];
}

async function slugsOf(tx: Transaction, gains: readonly Gain[]): Promise<ReadonlyMap<string, string>> {
  const ids = gains.flatMap(({ serverId }) => serverId ?? []);
  const servers = ids.length === 0 ? [] : await tx.server.findMany({ where: { id: { in: ids } }, select: { id: true, slug: true } });
  return new Map(servers.map(({ id, slug }) => [id, slug]));
}

function refusal(widened: readonly Widened[]): ProblemError {
  const what = widened.slice(0, GAINS_NAMED_MAX).map(({ agent, gains }) => `${agent} (${gains.join(', ')})`);
  const detail = `You own, or owned in the last 30 days, what would gain access: ${what.join('; ')}.`;
  return new ProblemError('self_widening', `${detail} Somebody else must make this change, or you send X-Break-Glass with a reason if you may.`);
}
