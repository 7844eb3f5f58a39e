import type { AuditBlockContent, AuditNodeKey, AuditProofLine } from '@portcullis/contracts/api/audit-proof';
import type { AuditLink } from '@portcullis/contracts/audit';
import type { Findings } from './findings.js';
import { keyText, linkDigest, linkText } from './link-text.js';
import type { TrustedKeys } from './trusted-keys.js';

interface OfBoot {
  readonly node: string;
  readonly hashes: Map<number, string>;
  /** Links whose rows are not all known yet, oldest first, with the block that has them. */
  readonly open: { readonly link: AuditLink; readonly block: number }[];
  last: AuditLink | undefined;
}

/** Hashes that wait for a link. Beyond it those of nodes that sign nothing would fill the memory. */
const WAITING_MAX = 2_000_000;

/** What nodes signed of their own events, held against rows: shows also what was changed before it was sealed. */
export class SignedLinks {
  private readonly boots = new Map<string, OfBoot>();
  private readonly expected = new Map<string, { readonly digest: string; readonly block: number }>();
  private readonly nodeKeys = new Map<string, AuditNodeKey>();
  private waiting = 0;
  checked = 0;

  constructor(
    private readonly keys: TrustedKeys,
    private readonly findings: Findings,
  ) {}

  takeKeys(keys: readonly AuditNodeKey[]): void {
    for (const key of keys) if (this.keys.isSigned(key.certifiedBy, keyText(key), key.certificate)) this.nodeKeys.set(key.keyId, key);
  }

  /** The links that a block says were stored. */
  expect({ n, links }: AuditBlockContent): void {
    for (const [node, boot, lastSeq, digest] of links) this.expected.set(`${node} ${boot} ${lastSeq}`, { digest, block: n });
  }

  takeRow(node: string, boot: string, seq: number, hash: string): void {
    if (this.waiting >= WAITING_MAX) this.forget();
    this.of(node, boot).hashes.set(seq, hash);
    this.waiting += 1;
  }

  takeLink(node: string, link: AuditLink): void {
    const { boot, firstSeq, lastSeq, keyId, signature } = link;
    const name = `${node} ${boot} ${lastSeq}`;
    const expected = this.expected.get(name);
    const place = { block: expected?.block ?? null, node, boot, firstSeq, lastSeq };
    this.expected.delete(name);
    const key = this.nodeKeys.get(keyId);
    if (key?.node !== node || !this.keys.verify(key.publicKey, linkText(node, link), signature))
      return this.findings.add('link_forged', place, 'A link that its node did not sign');
    if (expected !== undefined && expected.digest !== link.digest) return this.findings.add('link_forged', place, 'Not the link that was sealed');
    const ofBoot = this.of(node, boot);
    const { last } = ofBoot;
    if (last !== undefined && (last.lastSeq + 1 !== firstSeq || last.digest !== link.prev))
      this.findings.add('link_broken', place, 'The link does not follow the one before it');
    ofBoot.last = link;
    ofBoot.open.push({ link, block: expected?.block ?? 0 });
  }

  /** Compares what is complete by now. */
  settle(): void {
    for (const ofBoot of this.boots.values()) {
      const open = ofBoot.open.splice(0);
      ofBoot.open.push(...open.filter((one) => !this.isSettled(ofBoot, one)));
    }
  }

  /** What is left of it: rows that are not there although all of their boot up to them was stored. `isWhole` where the first block is among those read. */
  end(
    { stored }: Extract<AuditProofLine, { type: 'end' }>,
    { isWhole, isGone }: { isWhole: boolean; isGone: (link: AuditLink, node: string) => boolean },
  ): number {
    this.settle();
    for (const [name, { block }] of this.expected) this.findings.add('link_missing', { block }, `A link that was sealed: ${name}`);
    const storedSeq = new Map(stored.map(({ node, boot, contiguousSeq }) => [`${node} ${boot}`, contiguousSeq]));
    let open = 0;
    for (const [name, ofBoot] of this.boots) {
      for (const { link, block } of ofBoot.open) {
        const { boot, firstSeq, lastSeq } = link;
        const wasStored = (storedSeq.get(name) ?? 0) >= lastSeq;
        if (isWhole && wasStored && !isGone(link, ofBoot.node))
          this.findings.add('rows_not_as_signed', { block, node: ofBoot.node, boot, firstSeq, lastSeq }, 'Rows that their node signed are not there');
        else open += 1;
      }
    }
    return open;
  }

  private isSettled({ node, hashes }: OfBoot, { link, block }: OfBoot['open'][number]): boolean {
    const { boot, firstSeq, lastSeq, prev, digest } = link;
    for (let seq = firstSeq; seq <= lastSeq; seq += 1) if (!hashes.has(seq)) return false;
    const parts: string[] = [];
    for (let seq = firstSeq; seq <= lastSeq; seq += 1) {
      parts.push(hashes.get(seq) ?? '');
      hashes.delete(seq);
    }
    this.waiting -= parts.length;
    this.checked += 1;
    if (linkDigest(prev, parts.join('')) !== digest)
      this.findings.add('rows_not_as_signed', { block, node, boot, firstSeq, lastSeq }, 'Not what the node signed: changed before it was sealed');
    return true;
  }

  private of(node: string, boot: string): OfBoot {
    const name = `${node} ${boot}`;
    const known = this.boots.get(name) ?? { node, hashes: new Map<number, string>(), open: [], last: undefined };
    this.boots.set(name, known);
    return known;
  }

  private forget(): void {
    for (const { hashes } of this.boots.values()) hashes.clear();
    this.waiting = 0;
  }
}
