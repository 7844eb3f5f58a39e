import { createHash } from 'node:crypto';
import type { AuditLink } from '@portcullis/contracts/audit';

/** What stands before the first link of a boot. */
export const NO_LINK = '0'.repeat(64);

/** What a node signs of a link. */
export function linkText(node: string, { boot, firstSeq, lastSeq, prev, digest }: Omit<AuditLink, 'keyId' | 'signature'>): Buffer {
  return Buffer.from(`portcullis audit link 1\n${node}\n${boot}\n${firstSeq}\n${lastSeq}\n${prev}\n${digest}`);
}

/** The digest of a link: `hashes` are those of its frames, behind one another (latin1). */
export const linkDigest = (prev: string, hashes: string): string => createHash('sha256').update(prev, 'hex').update(hashes, 'latin1').digest('hex');

/** What the control plane signs to say that a key is this node's. */
export const keyText = ({ node, keyId, publicKey }: { readonly node: string; readonly keyId: string; readonly publicKey: string }): Buffer =>
  Buffer.from(`portcullis audit key 1\n${node}\n${keyId}\n${publicKey}`);
