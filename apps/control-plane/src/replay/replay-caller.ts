import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient, type Server } from '@portcullis/database';
import { createEgress, type Egress } from '@portcullis/egress';
import { openServerSignIn } from '../credentials/open-server-sign-in.js';
import type { ServerSignIn } from '../credentials/server-sign-in.js';
import { DiscoveryFailure } from '../discovery/discovery-failure.js';
import { KeyRing } from '../keys/key-ring.js';
import { transportOf } from '../servers/transport-of.js';
import { callTool, type CallEnd, type ReplayTarget } from './call-tool.js';
import type { ReplayableCall } from './replayable-call.js';

/** Token of the options of replays. */
export const REPLAY_OPTIONS = 'ReplayOptions';

export interface ReplayOptions {
  /** CIDR ranges beyond the public network that servers may lie in. */
  readonly egressAllow?: readonly string[] | undefined;
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 60_000;

/** Calls servers as the control plane itself would: only where it may go, with a server's own credential. */
@Injectable()
export class ReplayCaller implements OnApplicationShutdown {
  private readonly egress: Egress;
  private readonly timeoutMs: number;
  private readonly signIn: ServerSignIn;

  constructor(@Inject(REPLAY_OPTIONS) options: ReplayOptions, @Inject(PrismaClient) database: PrismaClient, @Inject(KeyRing) keys: KeyRing) {
    this.egress = createEgress({ allow: options.egressAllow ?? [] });
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.signIn = openServerSignIn(database, keys, this.egress);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.egress.close();
  }

  async call(target: Server, { tool, args }: ReplayableCall): Promise<CallEnd> {
    try {
      const fetch = await this.signIn.fetchFor(target.id, (url, init) => this.egress.fetch(url, init));
      return await callTool(targetOf(target), { name: tool, args }, fetch, this.timeoutMs);
    } catch (error) {
      if (error instanceof DiscoveryFailure) return { error: error.message };
      throw error;
    }
  }
}

const targetOf = (server: Server): ReplayTarget => ({
  url: server.url,
  protocol: server.protocol,
  knownEra: server.era ?? undefined,
  isSse: transportOf(server) === 'sse',
});
