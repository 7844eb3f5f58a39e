import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { auditKeyPlace, nodeAuditKeyAad, type NodeAuditKey, type NodeAuditKeyResponse } from '@portcullis/contracts/node';
import type { Node as NodeRow } from '@portcullis/database';
import { keyIdOf, sealFor, signBytes } from '@portcullis/secrets';
import { keyText } from '@portcullis/audit';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';

/** The keys with which nodes sign what they record. The control plane certifies each, so that whoever can only write to Postgres cannot add one. */
@Injectable()
export class NodeAuditKeysService {
  constructor(
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  /** A key that this node has registered before is given its secret again, and leaves no event. Throws `conflict` for another node's. */
  async register({ id: nodeId, name: node, sealingPublicKey }: NodeRow, { publicKey }: NodeAuditKey): Promise<NodeAuditKeyResponse> {
    const keyId = keyIdOf(publicKey);
    const secret = await this.changes.apply({ name: `node/${node}` }, 'node-audit-key.registered', async (tx) => {
      const known = await tx.auditKey.findUnique({ where: { keyId } });
      if (known !== null && known.node !== node) throw new ProblemError('conflict', 'The key belongs to another node.');
      const sealer = await this.keys.auditSealer(tx);
      const place = auditKeyPlace(node, keyId);
      if (known !== null) return { result: sealer.open(known.secret, place), unchanged: true };
      const { keyId: certifiedBy, privateKey } = this.keys.signingKey();
      const certificate = signBytes(privateKey, keyText({ node, keyId, publicKey }));
      const fresh = randomBytes(32);
      await tx.auditKey.create({ data: { keyId, node, publicKey, secret: sealer.seal(fresh, place), certifiedBy, certificate } });
      return { result: fresh, subject: { kind: 'node', id: nodeId, slug: node }, change: { keyId, publicKey, certifiedBy } };
    });
    return { keyId, sealedSecret: sealFor(sealingPublicKey, secret, nodeAuditKeyAad(nodeId, keyId)) };
  }
}
