import { runnerTokenPlace } from '@portcullis/contracts/credentials';
import { RUNNER_AGENT_HEADER } from '@portcullis/contracts/runner/heartbeat';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { UnsealError, type Sealer } from '@portcullis/secrets';
import { staticCredential, unopened, type UpstreamCredential } from './upstream-credential.js';

/** Where a runner hosts a server. */
export type PlaceEntry = NonNullable<ServerEntry['place']>;

interface PlaceParts {
  readonly sealer: () => Sealer;
  /** One did not open: perhaps this node lacks a key. */
  readonly onUnopened: () => void;
}

/** What calls to runners go with: the runner's token, and whose call it is. A place is opened once, and forgotten with the snapshot's entry. */
export class PlaceCredentials {
  private readonly tokens = new WeakMap<PlaceEntry, string>();
  private readonly byAgent = new WeakMap<PlaceEntry, Map<string, UpstreamCredential>>();

  constructor(private readonly parts: PlaceParts) {}

  of(place: PlaceEntry, agentId: string): UpstreamCredential {
    const known = this.byAgent.get(place)?.get(agentId);
    if (known !== undefined) return known;
    const token = this.tokenOf(place);
    // What did not open is tried again with the next call: the key may be on its way.
    if (token === undefined) return unopened;
    const { runnerId, version } = place;
    const headers = [
      ['authorization', `Bearer ${token}`],
      [RUNNER_AGENT_HEADER, agentId],
    ] as const;
    const credential = staticCredential(`${runnerId}.${String(version)}`, headers);
    const all = this.byAgent.get(place) ?? new Map<string, UpstreamCredential>();
    this.byAgent.set(place, all.set(agentId, credential));
    return credential;
  }

  private tokenOf(place: PlaceEntry): string | undefined {
    const known = this.tokens.get(place);
    if (known !== undefined) return known;
    try {
      const token = this.parts.sealer().open(place.sealed, runnerTokenPlace(place, 'nodes')).toString('utf8');
      this.tokens.set(place, token);
      return token;
    } catch (error) {
      if (!(error instanceof UnsealError)) throw error;
      this.parts.onUnopened();
      return undefined;
    }
  }
}
