import { createHash, hash } from 'node:crypto';
import type { AuditBlockContent, AuditSegment } from '@portcullis/contracts/api/audit-proof';

export const NO_BLOCK = '0'.repeat(64);

/** What is signed of a block. */
export const blockText = (content: string): Buffer => Buffer.from(`portcullis audit block 1\n${content}`);

/** What the next block and anchors name a block by. */
export const hashBlock = (content: string): string => hash('sha256', content, 'hex');

/** The root of a Merkle tree (RFC 9162 §2.1) over segments, each as its JSON. */
export function rootOf(segments: readonly AuditSegment[]): string {
  return treeOf(segments.map((segment) => createHash('sha256').update('\0').update(JSON.stringify(segment)).digest())).toString('hex');
}

/** The texts of a block: what is signed, and what its root covers. */
export function writeBlock(
  content: Omit<AuditBlockContent, 'root' | 'events'>,
  segments: readonly AuditSegment[],
): { content: string; segments: string } {
  const events = segments.reduce((sum, [, , , firstSeq, lastSeq]) => sum + lastSeq - firstSeq + 1, 0);
  return { content: JSON.stringify({ ...content, root: rootOf(segments), events }), segments: JSON.stringify(segments) };
}

function treeOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return only;
  const left = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return createHash('sha256')
    .update('\x01')
    .update(treeOf(leaves.slice(0, left)))
    .update(treeOf(leaves.slice(left)))
    .digest();
}
