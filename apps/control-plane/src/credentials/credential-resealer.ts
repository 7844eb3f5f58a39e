import { Inject, Injectable } from '@nestjs/common';
import { credentialPlace, serverTlsPlace } from '@portcullis/contracts/credentials';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { PolicyChanges } from '../changes/policy-changes.js';
import { KeyRing } from '../keys/key-ring.js';
import { serverBucket } from '../servers/servers.service.js';
import { accessPlace, refreshPlace } from './connection-tokens.js';
import { valuePlace } from './credential-vault.js';
import { reseal } from './reseal.js';

const LOOK_MS = 15_000;
/** Nodes look for new keys every minute: what is sealed under one before they have it would not open. */
const NODES_HAVE_IT_MS = 90_000;
const AT_ONCE = 200;
const AUTHOR = { name: 'portcullis/keys' };

/** Seals anew what was sealed under keys that were rotated since: in small parts, while everything goes on being opened with the keys before. */
@Injectable()
export class CredentialResealer implements BackgroundWork {
  readonly everyMs = LOOK_MS;
  readonly waitsFirst = true;
  readonly complaint = 'Credentials were not sealed anew';

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async turn(stopping: AbortSignal): Promise<void> {
    await this.run(NODES_HAVE_IT_MS, stopping);
  }

  /** Does what there is to do. What cannot be opened any more stays as it is. */
  async run(nodesHaveItMs = NODES_HAVE_IT_MS, stopping?: AbortSignal): Promise<void> {
    const goesOn = (): boolean => stopping?.aborted !== true;
    while (goesOn() && (await this.resealSecrets()) + (await this.resealTokens()) > 0);
    if (!(await hasEveryNodeKey(this.database, this.keys, nodesHaveItMs))) return;
    while (goesOn() && (await this.resealForNodes(this.keys.newestId('credential'))) > 0);
  }

  private async resealSecrets(): Promise<number> {
    const head = `v1.${this.keys.newestId('sealing')}.`;
    const rows = await this.database.credential.findMany({ where: { sealed: { not: { startsWith: head } } }, take: AT_ONCE });
    let done = 0;
    for (const { id, version, sealed, updatedAt } of rows) {
      const again = reseal(this.keys.sealer(), sealed, credentialPlace({ id, version }, 'control-plane'));
      if (again === undefined) continue;
      // Whoever replaced it meanwhile sealed it under the newest key.
      done += (await this.database.credential.updateMany({ where: { id, sealed }, data: { sealed: again, updatedAt } })).count;
    }
    return done;
  }

  private async resealTokens(): Promise<number> {
    const head = `v1.${this.keys.newestId('sealing')}.`;
    const rows = await this.database.credentialToken.findMany({ where: { accessToken: { not: { startsWith: head } } }, take: AT_ONCE });
    let done = 0;
    for (const { credentialId, generation, accessToken: before, refreshToken: kept } of rows) {
      const accessToken = reseal(this.keys.sealer(), before, valuePlace(credentialId, accessPlace(generation)));
      const refreshToken = kept === null ? null : reseal(this.keys.sealer(), kept, valuePlace(credentialId, refreshPlace(generation)));
      if (accessToken === undefined || refreshToken === undefined) continue;
      done += (await this.database.credentialToken.updateMany({ where: { credentialId, generation }, data: { accessToken, refreshToken } })).count;
    }
    return done;
  }

  private async resealForNodes(keyId: string): Promise<number> {
    const older = { not: { startsWith: `v1.${keyId}.` } };
    const where = { sealedForNodes: older };
    if ((await this.database.credential.count({ where })) + (await this.database.serverTls.count({ where: { sealed: older } })) === 0) return 0;
    const { result } = await this.changes.apply(AUTHOR, 'credentials.resealed', 'keys were rotated', async (tx) => {
      const resealed = [...(await this.resealRows(tx, where)), ...(await this.resealTls(tx, older))];
      if (resealed.length === 0) return { result: 0, unchanged: true };
      const dirty = resealed.map(({ serverId }) => serverBucket(serverId));
      return { result: resealed.length, subject: { kind: 'key', id: keyId }, change: { credentials: resealed.length }, dirty };
    });
    return result;
  }

  private async resealRows(tx: Transaction, where: { sealedForNodes: { not: { startsWith: string } } }): Promise<{ serverId: string }[]> {
    const rows = await tx.credential.findMany({ where, take: AT_ONCE });
    const done: { serverId: string }[] = [];
    for (const { id, version, serverId, sealedForNodes: before, updatedAt } of rows) {
      const sealedForNodes = reseal(this.keys.credentialSealer(), before, credentialPlace({ id, version }, 'nodes'));
      if (sealedForNodes === undefined) continue;
      await tx.credential.update({ where: { id }, data: { sealedForNodes, updatedAt } });
      done.push({ serverId });
    }
    return done;
  }

  private async resealTls(tx: Transaction, older: { not: { startsWith: string } }): Promise<{ serverId: string }[]> {
    const rows = await tx.serverTls.findMany({ where: { sealed: older }, take: AT_ONCE });
    const done: { serverId: string }[] = [];
    for (const { id, version, serverId, sealed: before, updatedAt } of rows) {
      const sealed = before === null ? undefined : reseal(this.keys.credentialSealer(), before, serverTlsPlace({ id, version }));
      if (sealed === undefined) continue;
      await tx.serverTls.update({ where: { id }, data: { sealed, updatedAt } });
      done.push({ serverId });
    }
    return done;
  }
}

/** Whether nodes have had time to fetch the newest key of what servers are called with. */
export async function hasEveryNodeKey(database: PrismaClient, keys: KeyRing, nodesHaveItMs = NODES_HAVE_IT_MS): Promise<boolean> {
  const keyId = keys.newestId('credential');
  const { createdAt } = await database.keyRingEntry.findUniqueOrThrow({ where: { keyId }, select: { createdAt: true } });
  return createdAt.getTime() <= Date.now() - nodesHaveItMs;
}
