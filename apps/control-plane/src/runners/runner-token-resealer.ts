import { Inject, Injectable } from '@nestjs/common';
import { runnerTokenPlace } from '@portcullis/contracts/credentials';
import { PrismaClient, type Runner } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { PolicyChanges } from '../changes/policy-changes.js';
import { hasEveryNodeKey } from '../credentials/credential-resealer.js';
import { reseal } from '../credentials/reseal.js';
import { KeyRing } from '../keys/key-ring.js';
import { serverBucket } from '../servers/servers.service.js';

const LOOK_MS = 15_000;
const AUTHOR = { name: 'portcullis/keys' };

/** Seals the access tokens of runners anew under keys that were rotated since, for nodes only when these had time to fetch them. */
@Injectable()
export class RunnerTokenResealer implements BackgroundWork {
  readonly everyMs = LOOK_MS;
  readonly waitsFirst = true;
  readonly complaint = 'Tokens of runners were not sealed anew';

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async turn(): Promise<void> {
    await this.run();
  }

  /** What cannot be opened any more stays as it is. */
  async run(nodesHaveItMs?: number): Promise<void> {
    const isForNodes = await hasEveryNodeKey(this.database, this.keys, nodesHaveItMs);
    for (const runner of await this.database.runner.findMany()) {
      await this.resealOwn(runner);
      if (isForNodes) await this.resealForNodes(runner);
    }
  }

  private async resealOwn({ id, accessVersion: version, accessToken: before }: Runner): Promise<void> {
    if (this.keys.sealer().isCurrent(before)) return;
    const accessToken = reseal(this.keys.sealer(), before, runnerTokenPlace({ runnerId: id, version }, 'control-plane'));
    if (accessToken !== undefined) await this.database.runner.updateMany({ where: { id, accessToken: before }, data: { accessToken } });
  }

  private async resealForNodes({ id, name, accessVersion: version, accessTokenForNodes: before }: Runner): Promise<void> {
    if (this.keys.credentialSealer().isCurrent(before)) return;
    const accessTokenForNodes = reseal(this.keys.credentialSealer(), before, runnerTokenPlace({ runnerId: id, version }, 'nodes'));
    if (accessTokenForNodes === undefined) return;
    await this.changes.apply(AUTHOR, 'runner-token.resealed', 'keys were rotated', async (tx) => {
      const { count } = await tx.runner.updateMany({ where: { id, accessTokenForNodes: before }, data: { accessTokenForNodes } });
      if (count === 0) return { result: undefined, unchanged: true };
      const places = await tx.hosting.findMany({ where: { placeRunnerId: id }, select: { serverId: true } });
      const dirty = places.map(({ serverId }) => serverBucket(serverId));
      return { result: undefined, subject: { kind: 'runner', id, slug: name }, change: { servers: places.length }, dirty };
    });
  }
}
