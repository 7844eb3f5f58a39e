import { Inject, Injectable } from '@nestjs/common';
import type { Page } from '@portcullis/contracts/api/conventions';
import type { Node } from '@portcullis/contracts/api/operations';
import { nodeKeysAad, type EnrolRequest, type EnrolResponse } from '@portcullis/contracts/node';
import type { Node as NodeRow } from '@portcullis/database';
import { hashBearer, newBearer, sealFor } from '@portcullis/secrets';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import { nodeOf } from './node-of.js';
import { NodesRepository } from './nodes.repository.js';
import { requireSealable } from './require-sealable.js';

/** Who may be a node, and the keys it gets. */
@Injectable()
export class NodesService {
  constructor(
    @Inject(NodesRepository) private readonly nodes: NodesRepository,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async list(limit: number, cursor: string | undefined): Promise<Page<Node>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    const now = new Date();
    return pageFrom(
      await this.nodes.list(after, limit),
      limit,
      (row) => nodeOf(row, now),
      ({ name }) => [name],
    );
  }

  /** Its key stops working at once, and what nodes share is made anew from here on. What it was told before stays known to it. */
  async remove(author: Author, id: string): Promise<void> {
    await this.changes.apply(author, 'node.deleted', async (tx) => {
      const node = await this.nodes.remove(tx, id);
      if (node === undefined) throw notFound('node');
      const rotated = [await this.keys.addKey(tx, 'credential', 2), await this.keys.addKey(tx, 'session', 2)];
      return { result: undefined, subject: { kind: 'node', id, slug: node.name }, change: { rotated } };
    });
    await this.keys.refresh();
  }

  async enrol(author: Author, { name, sealingPublicKey }: EnrolRequest): Promise<EnrolResponse> {
    const { id: keyId, secret, token: nodeKey } = newBearer('node');
    const pepper = this.keys.currentPepper();
    requireSealable(sealingPublicKey);
    const node = await this.changes.apply(author, 'node.enrolled', async (tx) => {
      const data = { name, keyId, keyHash: hashBearer(pepper.key, secret), pepperId: pepper.id, sealingPublicKey };
      const row = await this.nodes.enrol(tx, data);
      return { result: row, subject: { kind: 'node', id: row.id, slug: name }, change: { keyId } };
    });
    return { nodeId: node.id, nodeKey, sealedKeys: this.sealedKeys(node) };
  }

  /** The ring as only this node can open it. */
  sealedKeys({ id, sealingPublicKey }: NodeRow): string {
    return sealFor(sealingPublicKey, JSON.stringify(this.keys.nodeKeys()), nodeKeysAad(id));
  }
}
