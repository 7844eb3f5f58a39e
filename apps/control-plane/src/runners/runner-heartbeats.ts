import { Inject, Injectable } from '@nestjs/common';
import { RUNNER_HEARTBEAT_SECONDS, type RunnerHeartbeat, type RunnerHeartbeatResponse } from '@portcullis/contracts/runner/heartbeat';
import { PrismaClient, type Prisma, type Runner } from '@portcullis/database';
import { CredentialVault } from '../credentials/credential-vault.js';
import { KeyRing } from '../keys/key-ring.js';
import { assignmentsOf } from './assignments.js';
import { markTold } from './hosting.repository.js';
import { openRunnerToken, runnerTokenHash } from './runner-tokens.js';

/** What runners report, and what they are told to host. */
@Injectable()
export class RunnerHeartbeats {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(CredentialVault) private readonly vault: CredentialVault,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async take(runner: Runner, beat: RunnerHeartbeat): Promise<RunnerHeartbeatResponse> {
    await this.store(runner.id, beat);
    const assignments = await assignmentsOf(this.database, runner, this.vault);
    // Whoever runs another profile does so still when this is answered; it says so when that is over.
    const runs = new Map(beat.servers.map(({ serverId, profileHash }) => [serverId, profileHash]));
    const told = assignments.filter(({ serverId, profileHash }) => (runs.get(serverId) ?? profileHash) === profileHash);
    await markTold(this.database, runner.id, told);
    const { revision } = await this.database.policyState.findUniqueOrThrow({ where: { id: 1 }, select: { revision: true } });
    const accessTokenHashes = [runnerTokenHash(openRunnerToken(this.keys, runner))];
    const removed = await this.removedOf(beat.left);
    return { assignments, accessTokenHashes, removed, revision, heartbeatSeconds: RUNNER_HEARTBEAT_SECONDS };
  }

  /** Which of these are no servers of stdio any more. */
  private async removedOf(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.server.findMany({ where: { id: { in: [...ids] }, transportPin: 'stdio' }, select: { id: true } });
    const known = new Set(rows.map(({ id }) => id));
    return ids.filter((id) => !known.has(id));
  }

  /** Does nothing for a runner that was removed meanwhile. A runner speaks for what it hosts, and for nothing else. */
  private async store(id: string, { boot, version, address, capacity, sandbox, servers, logs, leaving }: RunnerHeartbeat): Promise<void> {
    const now = new Date();
    const said = { boot, version, address, capacity, sandbox, servers: servers as Prisma.InputJsonArray };
    await this.database.runner.updateMany({ where: { id }, data: { ...said, lastSeenAt: now, leftAt: leaving ? now : null } });
    for (const { serverId, text } of logs) {
      const where = { serverId, OR: [{ runnerId: id }, { placeRunnerId: id }] };
      await this.database.hosting.updateMany({ where, data: { log: text, loggedAt: now } });
    }
  }
}
