import { auditKeysText, createSealer, deriveKey, publicKeyOf, UnsealError, type KeyPair, type Sealer } from '@portcullis/secrets';
import { TASK_KEY_PURPOSE } from '@portcullis/contracts/task-keys';
import type { NodeKeys } from '@portcullis/contracts/node';
import type { KeyPurpose, PrismaClient, Transaction } from '@portcullis/database';
import { readAuditSecrets, sealAuditSecrets } from './audit-key-secrets.js';
import { makeKey, placeOf } from './make-key.js';
import { MasterKeys } from './master-keys.js';
import {
  insertMissingKeys,
  lockKeyRing,
  readKeysEver,
  readLiveKeys,
  readSigningKeysEver,
  retireOldKeys,
  type StoredKey,
} from './key-ring.repository.js';

/** A pepper under which bearer secrets are hashed. `key` is one array for the life of the process, as `hashBearer` likes it. */
export interface Pepper {
  readonly id: string;
  readonly key: Uint8Array;
}

interface LiveKey {
  readonly id: string;
  readonly purpose: KeyPurpose;
  readonly publicKey: string | null;
  readonly secret: Uint8Array;
}

const PURPOSES: readonly KeyPurpose[] = ['signing', 'sealing', 'session', 'pepper', 'credential'];

/**
 * The keys of this installation. The newest of each purpose is used for new work; the one before stays valid, and whatever older one something still needs.
 * Secrets lie in Postgres sealed under the master key and are opened once per process.
 */
export class KeyRing {
  private keys: readonly LiveKey[] = [];

  private constructor(
    private readonly database: PrismaClient,
    private readonly master: MasterKeys,
  ) {}

  /**
   * Reads the ring, and makes what is missing. Two processes that start at once end with the same keys. Throws when the master key is another one, and so
   * is that before it where one is given.
   */
  static async open(database: PrismaClient, masterKey: Uint8Array, previousMasterKey?: Uint8Array): Promise<KeyRing> {
    const ring = new KeyRing(database, new MasterKeys(masterKey, previousMasterKey));
    await database.$transaction(async (tx) => {
      await lockKeyRing(tx);
      const sealer = await ring.masterSealer(tx);
      await insertMissingKeys(tx, PURPOSES, (purpose) => makeKey(purpose, sealer));
      await sealAuditSecrets(tx, await ring.auditSealer(tx));
    });
    await ring.refresh();
    return ring;
  }

  /** Takes in what another control plane has rotated. */
  async refresh(): Promise<void> {
    const stored = await readLiveKeys(this.database);
    const known = new Map(this.keys.map((key) => [key.id, key]));
    this.keys = stored.map((row) => known.get(row.keyId) ?? this.openKey(row));
  }

  /** Makes a new key and retires all but the two newest, save those that something still needs. Returns the new key's id. */
  async rotate(purpose: KeyPurpose): Promise<string> {
    const keyId = await this.database.$transaction((tx) => this.addKey(tx, purpose, 2));
    await this.refresh();
    return keyId;
  }

  /**
   * The same as part of a transaction, after which somebody has to `refresh`. With `kept` 1 the key before is no longer valid either, which ends what
   * agents hold of it; nothing that lies in the database is lost.
   */
  async addKey(tx: Transaction, purpose: KeyPurpose, kept: 1 | 2): Promise<string> {
    await lockKeyRing(tx);
    const made = makeKey(purpose, await this.masterSealer(tx));
    await tx.keyRingEntry.create({ data: made });
    await retireOldKeys(tx, purpose, kept);
    return made.keyId;
  }

  /** The name of the master key, and how many keys, retired ones and those of nodes' batches too, still need the one before. */
  async masterState(): Promise<{ keyId: string; waiting: number }> {
    const ring = (await readKeysEver(this.database)).filter(({ purpose, keyId, secret }) => !this.master.isNewest(secret, placeOf(purpose, keyId)));
    const audit = (await readAuditSecrets(this.database)).filter(({ secret }) => !this.master.isNewestAuditSecret(secret));
    return { keyId: this.master.keyId, waiting: ring.length + audit.length };
  }

  /** Seals all keys anew under the master key, as part of a transaction. Gives how many that took; what opens under neither stays as it is. */
  async sealAnew(tx: Transaction): Promise<number> {
    await lockKeyRing(tx);
    let done = 0;
    for (const { keyId, purpose, secret } of await readKeysEver(tx)) {
      if (this.master.isNewest(secret, placeOf(purpose, keyId))) continue;
      try {
        const data = { secret: this.master.sealAnew(secret, placeOf(purpose, keyId)) };
        done += (await tx.keyRingEntry.updateMany({ where: { keyId, secret }, data })).count;
      } catch (error) {
        if (!(error instanceof UnsealError)) throw error;
      }
    }
    return done + (await sealAuditSecrets(tx, await this.auditSealer(tx)));
  }

  /** Which key new work of this purpose is done with. */
  newestId(purpose: KeyPurpose): string {
    return this.newest(purpose).id;
  }

  currentPepper(): Pepper {
    const key = this.newest('pepper');
    return { id: key.id, key: key.secret };
  }

  /** The pepper of this id; undefined when it is unknown or retired. */
  pepper(id: string): Uint8Array | undefined {
    return this.keys.find((key) => key.purpose === 'pepper' && key.id === id)?.secret;
  }

  /** The pair that signs heads now. */
  signingKey(): KeyPair {
    const key = this.newest('signing');
    return { keyId: key.id, publicKey: key.publicKey ?? '', privateKey: Buffer.from(key.secret).toString('base64url') };
  }

  /**
   * The public keys that ever signed, retired ones too. One whose private half does not open under the master key, or is another's, was put into the database
   * by somebody else and is none of them.
   */
  async signingKeysEver(): Promise<{ keyId: string; publicKey: string }[]> {
    const rows = await readSigningKeysEver(this.database);
    return rows.flatMap((row) => {
      try {
        const { id: keyId, secret } = this.keys.find((key) => key.id === row.keyId && key.purpose === 'signing') ?? this.openKey(row);
        const publicKey = publicKeyOf(Buffer.from(secret).toString('base64url'));
        return publicKey === row.publicKey ? [{ keyId, publicKey }] : [];
      } catch {
        return [];
      }
    });
  }

  /** Seals what is stored in Postgres and only the control plane opens. */
  sealer(): Sealer {
    return this.sealerOf('sealing');
  }

  /** Seals what servers are called with for nodes, who all hold its keys. */
  credentialSealer(): Sealer {
    return this.sealerOf('credential');
  }

  /** Seals and opens secrets that nodes tag their batches with, until the end of a transaction, before which nobody seals the ring anew. */
  async auditSealer(tx: Transaction): Promise<Sealer> {
    await lockKeyRing(tx);
    return this.master.auditSealerLike(await this.newestSealed(tx));
  }

  /** What audit workers are given, to open them. */
  auditWorkerKeys(): string {
    return auditKeysText(this.master.auditKeys);
  }

  /** Seals keys for agents' tasks as nodes do. */
  taskKeySealer(): Sealer {
    return this.sealerOf('session', (secret) => deriveKey(secret, TASK_KEY_PURPOSE));
  }

  /** What every node must hold: public signing keys, peppers and session keys, newest first. Leaves this process only sealed to a node. */
  nodeKeys(): NodeKeys {
    const secrets = (purpose: KeyPurpose) =>
      this.of(purpose).map(({ id, secret }) => ({ keyId: id, secret: Buffer.from(secret).toString('base64url') }));
    return {
      signing: this.of('signing').map(({ id, publicKey }) => ({ keyId: id, publicKey: publicKey ?? '' })),
      peppers: secrets('pepper'),
      session: secrets('session'),
      credentials: secrets('credential'),
    };
  }

  private sealerOf(purpose: KeyPurpose, keyFrom = (secret: Uint8Array): Uint8Array => secret): Sealer {
    const [current, ...previous] = this.of(purpose).map(({ id, secret }) => ({ id, key: keyFrom(secret) }));
    if (current === undefined) throw new Error(`The key ring has no ${purpose} key`);
    return createSealer({ current, previous });
  }

  private of(purpose: KeyPurpose): LiveKey[] {
    return this.keys.filter((key) => key.purpose === purpose);
  }

  private newest(purpose: KeyPurpose): LiveKey {
    const key = this.keys.find((candidate) => candidate.purpose === purpose);
    if (key === undefined) throw new Error(`The key ring has no ${purpose} key`);
    return key;
  }

  /** What seals as the newest key lies sealed, so that every process that could read the ring still can. */
  private async masterSealer(tx: Transaction): Promise<Sealer> {
    try {
      return this.master.sealerLike(await this.newestSealed(tx));
    } catch (error) {
      throw otherMasterKey(error);
    }
  }

  private async newestSealed(tx: Transaction): Promise<{ sealed: string; place: string } | undefined> {
    const [newest] = await readLiveKeys(tx);
    return newest && { sealed: newest.secret, place: placeOf(newest.purpose, newest.keyId) };
  }

  private openKey(row: StoredKey): LiveKey {
    const { keyId: id, purpose, publicKey } = row;
    try {
      return { id, purpose, publicKey, secret: this.master.open(row.secret, placeOf(purpose, id)) };
    } catch (error) {
      throw otherMasterKey(error);
    }
  }
}

function otherMasterKey(error: unknown): unknown {
  if (!(error instanceof UnsealError)) return error;
  const words = 'The keys in the database were sealed under another master key. Start with the one this installation was made with.';
  return new Error(words, { cause: error });
}
