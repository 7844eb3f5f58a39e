import { ServerTransport } from '@portcullis/contracts/api/servers';
import type { PrismaClient, Transaction } from '@portcullis/database';
import type { PolicyChanges } from '../changes/policy-changes.js';
import { inTransaction } from '../changes/in-transaction.js';
import { recordAction } from '../changes/record-action.js';
import type { Fetch } from './answer-tap.js';
import { discoverServer, type DiscoveryTarget, type Findings } from './discover-server.js';
import { DiscoveryAbandoned, DiscoveryFailure } from './discovery-failure.js';
import type { ClaimedServer, DiscoveryRepository } from './discovery.repository.js';
import { storeFindings, type FinishedDiscovery, type StoredFindings } from './store-findings.js';

export interface DiscoveryParts {
  readonly database: PrismaClient;
  readonly repository: DiscoveryRepository;
  readonly changes: PolicyChanges;
  readonly fetch: Fetch;
}

/** How a run ended. `reason` is what the operator reads. */
export type DiscoveryOutcome =
  | { readonly outcome: 'stored' | 'gone' | 'abandoned'; readonly slug?: string }
  | { readonly outcome: 'failed'; readonly slug: string; readonly reason: string };

/** An upgraded server still answers the older handshake, so a legacy verdict is believed for an hour only. */
const LEGACY_VERDICT_MS = 3_600_000;
const AUTHOR = { name: 'portcullis/discovery' };

/** Asks one server and stores what it offers, or why it could not be asked. */
export async function runDiscovery(parts: DiscoveryParts, serverId: string, stop: AbortSignal): Promise<DiscoveryOutcome> {
  const claimed = await parts.repository.claim(serverId);
  if (claimed === null) return { outcome: 'gone' };
  const { server, startedAt } = claimed;
  const { slug, url, protocol, transportPin } = server;
  try {
    const findings = await ask({ url, protocol, transport: ServerTransport.parse(transportPin), knownEra: knownEra(claimed) }, parts.fetch, stop);
    const isStored = await store(parts, { serverId, url, protocol, transportPin, startedAt, findings });
    return { outcome: isStored ? 'stored' : 'gone', slug };
  } catch (error) {
    if (error instanceof DiscoveryAbandoned) {
      await parts.repository.request(serverId); // whoever comes next does it
      return { outcome: 'abandoned', slug };
    }
    if (!(error instanceof DiscoveryFailure)) throw error;
    await parts.repository.fail(claimed, error.message);
    return { outcome: 'failed', slug, reason: error.message };
  }
}

/** A remembered era that leads nowhere is no reason to fail: the server may have been upgraded since. */
async function ask(target: DiscoveryTarget, fetch: Fetch, stop: AbortSignal): Promise<Findings> {
  try {
    return await discoverServer(target, fetch, stop);
  } catch (error) {
    if (target.knownEra === undefined || !(error instanceof DiscoveryFailure)) throw error;
    return discoverServer({ ...target, knownEra: undefined }, fetch, stop);
  }
}

function knownEra({ server: { era, eraSeenAt }, startedAt }: ClaimedServer): 'legacy' | undefined {
  if (era !== 'legacy' || eraSeenAt === null) return undefined;
  return startedAt.getTime() - eraSeenAt.getTime() < LEGACY_VERDICT_MS ? 'legacy' : undefined;
}

class ConcernsPolicy extends Error {}

/** Most runs change nothing for agents: those do not queue for the lock that orders changes of policy. */
async function store({ database, changes }: DiscoveryParts, finished: FinishedDiscovery): Promise<boolean> {
  try {
    return await inTransaction(database, async (tx) => {
      const stored = await storeFindings(tx, finished);
      if (stored.dirty !== undefined) throw new ConcernsPolicy(); // undone here, done again as a change of policy
      return recorded(tx, stored);
    });
  } catch (error) {
    if (!(error instanceof ConcernsPolicy)) throw error;
    const { result } = await changes.apply(AUTHOR, 'server.discovered', undefined, async (tx) => {
      const { dirty, ...stored } = await storeFindings(tx, finished);
      const { isStored: result, told, turnedOut } = stored;
      if (dirty === undefined || told === undefined) return { result: await recorded(tx, stored), unchanged: true };
      return { result, ...told, dirty, ...(turnedOut && { turnedOut }) };
    });
    return result;
  }
}

/** A change of what waits for approval is no policy, and is on record all the same. */
async function recorded(tx: Transaction, { isStored, told }: StoredFindings): Promise<boolean> {
  if (told !== undefined) await recordAction(tx, AUTHOR, { action: 'server.drifted', detail: { ...told } });
  return isStored;
}
