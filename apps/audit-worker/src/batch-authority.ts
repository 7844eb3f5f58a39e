import { createSecretKey, type KeyObject } from 'node:crypto';
import { isTagOf, type DecodedBatch } from '@portcullis/audit';
import type { PrismaClient } from '@portcullis/database';
import type { AuditSecrets } from './audit-secrets.js';

/** A node that has only now registered its key may have sent batches before. */
const UNTAGGED_MS = 60_000;
/** Forged ids must not become a query each. */
const UNKNOWN_MS = 1000;
const KEYS_MAX = 10_000;

interface NodeKey {
  readonly node: string;
  readonly key: KeyObject;
}

/** Says whether a batch comes from the node that it names: its tag was made with that node's key. */
export class BatchAuthority {
  private readonly keys = new Map<string, NodeKey>();
  private readonly unknownUntil = new Map<string, number>();

  constructor(
    private readonly database: PrismaClient,
    private readonly secrets: Pick<AuditSecrets, 'open'>,
  ) {}

  /** Why the batch is not to be stored; undefined for a node's own. Throws where Postgres is not to be had, or the key that opens the node's secret. */
  async objectionTo({ batch, frames }: DecodedBatch): Promise<string | undefined> {
    const { node, boot, firstSeq, lastSeq, proof } = batch;
    if (proof === undefined) return (await this.mayBeUntagged(node)) ? undefined : 'a batch without the tag of its node';
    const known = await this.keyOf(proof.keyId);
    if (known === undefined) return 'a batch tagged with a key that no node has';
    if (known.node !== node) return 'a batch tagged with the key of another node';
    const hashes = frames.map(({ hash }) => hash).join('');
    return isTagOf(known.key, { node, boot, firstSeq, lastSeq }, hashes, proof.tag) ? undefined : 'a batch whose tag is wrong';
  }

  /** Nodes of before there were keys do not tag; whoever is no node at all does not either. */
  private async mayBeUntagged(node: string): Promise<boolean> {
    const [found] = await this.database.$queryRaw<[{ enrolled: boolean; keyed: boolean }]>`
      SELECT EXISTS (SELECT FROM node WHERE name = ${node}) AS enrolled,
        EXISTS (SELECT FROM audit_key WHERE node = ${node} AND created_at < now() - ${UNTAGGED_MS} * interval '1 millisecond') AS keyed`;
    return found.enrolled && !found.keyed;
  }

  private async keyOf(keyId: string): Promise<NodeKey | undefined> {
    const known = this.keys.get(keyId);
    if (known !== undefined) return known;
    if ((this.unknownUntil.get(keyId) ?? 0) > performance.now()) return undefined;
    const row = await this.database.auditKey.findUnique({ where: { keyId } });
    if (this.keys.size + this.unknownUntil.size > KEYS_MAX) this.forget();
    if (row === null) {
      this.unknownUntil.set(keyId, performance.now() + UNKNOWN_MS);
      return undefined;
    }
    const found = { node: row.node, key: createSecretKey(await this.secrets.open(row)) };
    this.keys.set(keyId, found);
    return found;
  }

  private forget(): void {
    this.keys.clear();
    this.unknownUntil.clear();
  }
}
