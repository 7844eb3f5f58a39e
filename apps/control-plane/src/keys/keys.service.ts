import { Inject, Injectable } from '@nestjs/common';
import { KeyPurposeName, type KeyGenerations, type KeyRingReport, type MasterKeyState, type RotateKey } from '@portcullis/contracts/api/keys';
import { PrismaClient } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ProblemError } from '../http/problem.js';
import { KeyRing } from './key-ring.js';
import { sealedUnder } from './sealed-values.js';

/** The generations of this installation's keys, and the making of new ones. */
@Injectable()
export class KeysService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async report(): Promise<KeyRingReport> {
    const items = await Promise.all(KeyPurposeName.options.map((purpose) => this.generations(purpose)));
    return { items, master: await this.keys.masterState(), nextCursor: null };
  }

  /** The last step of replacing the master key: from then on nothing needs the one before, and nothing is read without the new one. */
  async sealAnew(author: Author): Promise<MasterKeyState> {
    await this.changes.apply(author, 'master-key.replaced', async (tx) => {
      const { keyId } = await this.keys.masterState();
      const keys = await this.keys.sealAnew(tx);
      if (keys === 0) return { result: undefined, unchanged: true };
      return { result: undefined, subject: { kind: 'key', id: keyId }, change: { keys } };
    });
    return this.keys.masterState();
  }

  /** What was made with older keys goes on being good, save with `endOlder`; what lies sealed in the database is sealed anew in time. */
  async rotate(author: Author, purpose: KeyPurposeName, { endOlder }: RotateKey): Promise<KeyGenerations> {
    if (endOlder && purpose !== 'session') throw new ProblemError('unprocessable', 'Only older session keys can be ended before their time.');
    await this.changes.apply(author, 'key.rotated', async (tx) => {
      const keyId = await this.keys.addKey(tx, purpose, endOlder ? 1 : 2);
      return { result: undefined, subject: { kind: 'key', id: keyId }, change: { purpose, endOlder } };
    });
    await this.keys.refresh();
    return this.generations(purpose);
  }

  private async generations(purpose: KeyPurposeName): Promise<KeyGenerations> {
    const rows = await this.database.keyRingEntry.findMany({
      where: { purpose, retiredAt: null },
      orderBy: [{ createdAt: 'desc' }, { keyId: 'desc' }],
      select: { keyId: true, createdAt: true },
    });
    const sealed = purpose === 'sealing' || purpose === 'credential' ? await sealedUnder(this.database, purpose) : [];
    const waiting = sealed.reduce((sum, { keyId, count }) => (keyId === rows[0]?.keyId ? sum : sum + count), 0);
    return { purpose, keys: rows.map(({ keyId, createdAt }) => ({ keyId, createdAt: createdAt.toISOString() })), waiting };
  }
}
