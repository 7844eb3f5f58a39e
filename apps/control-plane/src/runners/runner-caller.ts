import { RUNNER_AGENT_HEADER, RUNNER_DISCOVERY_AGENT, runnerServerUrl } from '@portcullis/contracts/runner/heartbeat';
import type { PrismaClient } from '@portcullis/database';
import { createEgress, RUNNER_NETWORKS } from '@portcullis/egress';
import type { Fetch } from '../discovery/answer-tap.js';
import { DiscoveryFailure } from '../discovery/discovery-failure.js';
import type { KeyRing } from '../keys/key-ring.js';
import { openRunnerToken } from './runner-tokens.js';

const egress = createEgress({ allow: RUNNER_NETWORKS });

/** How the control plane itself reaches servers of stdio: at the runner where nodes go, and in nobody's name but its own. */
export class RunnerCaller {
  constructor(
    private readonly database: PrismaClient,
    private readonly keys: KeyRing,
  ) {}

  /** Wherever it is asked to go, it goes to the server's place. Undefined for a server with an address. Throws a DiscoveryFailure where there is no place. */
  async fetchFor(serverId: string): Promise<Fetch | undefined> {
    const server = await this.database.server.findUnique({
      where: { id: serverId },
      select: { slug: true, transportPin: true, hosting: { select: { placeAddress: true, place: true } } },
    });
    if (server?.transportPin !== 'stdio') return undefined;
    const { place, placeAddress } = server.hosting ?? { place: null, placeAddress: null };
    if (place === null || placeAddress === null)
      throw new DiscoveryFailure(
        'No runner hosts it yet: its launch profile has to be approved, its secrets have to be there, and a runner has to live.',
      );
    const url = runnerServerUrl(placeAddress, server.slug);
    const token = openRunnerToken(this.keys, place);
    return (_url, init) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${token}`);
      headers.set(RUNNER_AGENT_HEADER, RUNNER_DISCOVERY_AGENT);
      return egress.fetch(url, { ...init, headers });
    };
  }
}
