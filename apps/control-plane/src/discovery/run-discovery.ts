import { ServerTransport } from '@portcullis/contracts/api/servers';
import type { Fetch } from './answer-tap.js';
import { discoverServer, type DiscoveryTarget, type Findings } from './discover-server.js';
import { DiscoveryAbandoned, DiscoveryFailure } from './discovery-failure.js';
import type { ClaimedServer, DiscoveryRepository } from './discovery.repository.js';
import type { FindingsStore } from './findings-store.js';
import type { FinishedDiscovery } from './store-findings.js';

export interface DiscoveryParts {
  readonly repository: DiscoveryRepository;
  readonly findings: FindingsStore;
  readonly fetch: Fetch;
  /** A fetch that goes with what a server is called with. Throws a DiscoveryFailure where there is no way in. */
  readonly signIn: (serverId: string, fetch: Fetch) => Promise<Fetch>;
  /** Which public key was shown there for TLS when it was last connected to; undefined where none was. */
  readonly peerKeyOf: (url: string) => string | undefined;
}

/** How a run ended. `reason` is what the operator reads. */
export type DiscoveryOutcome =
  | { readonly outcome: 'stored' | 'gone' | 'abandoned'; readonly slug?: string }
  | { readonly outcome: 'failed'; readonly slug: string; readonly reason: string };

/** An upgraded server still answers the older handshake, so a legacy verdict is believed for an hour only. */
const LEGACY_VERDICT_MS = 3_600_000;

/** Asks one server and stores what it offers, or why it could not be asked. `asked` is called as soon as nothing more is wanted of the server. */
export async function runDiscovery(parts: DiscoveryParts, serverId: string, stop: AbortSignal, asked: () => void): Promise<DiscoveryOutcome> {
  const claimed = await parts.repository.claim(serverId);
  if (claimed === null) return { outcome: 'gone' };
  const { server, startedAt, isAnnounced } = claimed;
  const { slug, url, protocol, transportPin } = server;
  try {
    const known = { knownEra: knownEra(claimed), knownBothEras: isAnnounced ? server.bothEras : undefined };
    const target = { url, protocol, transport: ServerTransport.parse(transportPin), ...known };
    const fetch = await parts.signIn(serverId, parts.fetch);
    const findings = await ask(target, fetch, stop).finally(asked);
    const finished = { serverId, url, protocol, transportPin, startedAt, findings, tlsKey: parts.peerKeyOf(url) };
    const isStored = await storeOf(parts.findings, claimed)(finished);
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

function storeOf(findings: FindingsStore, { server, isAnnounced }: ClaimedServer) {
  return (finished: FinishedDiscovery): Promise<boolean> => {
    if (server.seenAt === null) return findings.storeFirst(finished);
    return isAnnounced ? findings.storeAnnounced(finished) : findings.store(finished);
  };
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
