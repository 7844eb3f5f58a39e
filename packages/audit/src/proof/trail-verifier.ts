import {
  AuditBlockContent,
  AuditSegment,
  type AuditAnchorHead,
  type AuditBlock,
  type AuditProofLine,
  type AuditProofRow,
  type AuditVerification,
} from '@portcullis/contracts/api/audit-proof';
import type { AuditLink } from '@portcullis/contracts/audit';
import { BlockHashes } from './block-hashes.js';
import { blockText, hashBlock, NO_BLOCK, rootOf } from './block.js';
import { Findings } from './findings.js';
import type { TrustedKeys } from './trusted-keys.js';
import { SignedLinks } from './verify-links.js';
import { OperatorsChain } from './verify-operators.js';
import { BlockRows } from './verify-rows.js';

/** The name under which control planes record what operators do. */
const OPERATORS = 'control-plane';

/**
 * Reads the lines of a proof and says whether the trail is as it was recorded. What it believes is the keys it is given and the anchors, which come from
 * outside the database; the same reading serves a database and a file.
 */
export class TrailVerifier {
  private readonly findings = new Findings();
  private readonly links: SignedLinks;
  private readonly operators = new OperatorsChain(this.findings);
  private readonly droppedDays = new Map<string, number>();
  private readonly goneRuns: { readonly node: string; readonly boot: string; readonly firstSeq: number; readonly lastSeq: number }[] = [];
  private rows: BlockRows | undefined;
  private from: number | null = null;
  private through: number | null = null;
  private lastHash: string | undefined;
  private events = 0;
  private dropped = 0;
  private unhashed = 0;
  private madeAtMs = Number.NaN;
  private readonly hashes = new BlockHashes();
  /** Of the heads: the newest, the newest of a block that is here, and the newest of one that should be here and is not; 0 where there is none. */
  private readonly heads = { newest: 0, held: 0, due: 0 };

  /** `isFile`: the proof was written some time ago, so anchors may know more than it by now. */
  constructor(
    private readonly keys: TrustedKeys,
    private readonly isFile = false,
  ) {
    this.links = new SignedLinks(keys, this.findings);
  }

  get progress(): { block: number; events: number } {
    return { block: this.through ?? 0, events: this.events };
  }

  take(line: Exclude<AuditProofLine, { type: 'end' }>): void {
    switch (line.type) {
      case 'proof':
        this.madeAtMs = Date.parse(line.madeAt);
        this.links.takeKeys(line.nodeKeys);
        for (const block of line.dropped) this.takeDropped(block);
        return;
      case 'block':
        return this.takeBlock(line.block);
      case 'row':
        return this.takeRow(line.row);
      case 'link':
        return this.links.takeLink(line.node, line.link);
    }
  }

  /**
   * A head that somebody outside the database was told: all of them, in any order, between the last line before the end and the end. None is kept. Of two
   * that name different blocks by one number, one at least is not what is here, so whoever has a chain begun anew from the middle cannot have it vouched for.
   */
  takeHead({ n, hash, sealedAt }: Pick<AuditAnchorHead, 'n' | 'hash' | 'sealedAt'>): void {
    const { heads } = this;
    heads.newest = Math.max(heads.newest, n);
    if (n <= (this.through ?? 0)) heads.held = Math.max(heads.held, n);
    else if (!this.isFile || !(Date.parse(sealedAt) > this.madeAtMs)) heads.due = Math.max(heads.due, n);
    if (this.hashes.hasOther(n, hash)) this.findings.add('chain_broken', { block: n }, 'An anchor has another block of this number');
  }

  end(end: Extract<AuditProofLine, { type: 'end' }>): AuditVerification {
    this.endBlock();
    const { from, through, findings } = this;
    const { newest, held } = this.heads;
    const due = end.isNewest ? this.heads.due : 0;
    if (due > 0) findings.add('head_rolled_back', { block: due }, `An anchor has block ${due}; the last one here is ${through ?? 'none'}`);
    const anchoredLater = end.isNewest && due === 0 && newest > (through ?? 0) ? newest : null;
    const open = this.links.end(end, { isWhole: from === 1, isGone: (link, node) => this.isGone(link, node) });
    const anchoredThrough = held > 0 ? held : newest > (through ?? 0) && anchoredLater === null ? through : null;
    // When a file was written is its own word: that it ended there then is vouched for by nobody.
    const isAnchored = anchoredLater === null && through !== null && newest >= through;
    return {
      verdict: findings.count > 0 ? 'failed' : isAnchored ? 'verified' : 'unanchored',
      from,
      through,
      anchoredThrough,
      ...(anchoredLater === null ? {} : { anchoredLater, madeAt: new Date(this.madeAtMs).toISOString() }),
      events: this.events,
      droppedEvents: this.dropped,
      unhashedEvents: this.unhashed,
      unsealedEvents: end.unsealedEvents,
      links: { checked: this.links.checked, open },
      findings: findings.shown,
      findingsCount: findings.count,
    };
  }

  private takeDropped(block: AuditBlock): void {
    const content = contentOf(block);
    if (content?.dropped === undefined || !this.keys.isSigned(block.keyId, blockText(block.content), block.signature)) return;
    const { day } = content.dropped;
    this.droppedDays.set(day, Math.max(content.n, this.droppedDays.get(day) ?? 0));
  }

  private takeBlock(block: AuditBlock): void {
    this.endBlock();
    const content = contentOf(block);
    const next = (this.through ?? 0) + 1;
    const segments = segmentsOf(block);
    if (content === undefined || segments === undefined) {
      this.through = next;
      this.findings.add('block_unreadable', { block: next }, 'The block cannot be read');
      return;
    }
    this.checkBlock(block, content, segments);
    this.from ??= content.n;
    this.through = content.n;
    this.lastHash = hashBlock(block.content);
    this.hashes.add(content.n, this.lastHash);
    this.rows = new BlockRows(content.n, segments, this.findings);
    this.links.expect(content);
    for (const [day, node, boot, firstSeq, lastSeq] of segments)
      if (this.isDropped(day, content.n)) this.goneRuns.push({ node, boot, firstSeq, lastSeq });
  }

  private checkBlock({ content: text, keyId, signature }: AuditBlock, content: AuditBlockContent, segments: readonly AuditSegment[]): void {
    const { n, prev, root, events } = content;
    const { findings, through } = this;
    if (through !== null && n !== through + 1)
      findings.add('block_missing', { block: through + 1 }, n > through ? `Block ${n} comes after ${through}` : `Block ${n} comes again`);
    const before = n === 1 ? NO_BLOCK : n === (through ?? 0) + 1 ? this.lastHash : undefined;
    if (!this.keys.has(keyId)) findings.add('block_forged', { block: n }, 'Signed with a key that is not the control plane’s');
    else if (!this.keys.isSigned(keyId, blockText(text), signature))
      findings.add('block_forged', { block: n }, 'The signature is not over this block');
    if (before !== undefined && prev !== before) findings.add('chain_broken', { block: n }, 'The block does not follow the one before it');
    const held = segments.reduce((sum, [, , , firstSeq, lastSeq]) => sum + lastSeq - firstSeq + 1, 0);
    if (rootOf(segments) !== root || (content.kind === 'rows' && held !== events))
      findings.add('block_altered', { block: n }, 'What the block says it covers is not what was signed');
  }

  private takeRow(row: AuditProofRow): void {
    this.events += 1;
    this.rows?.take(row);
    if (row.hash === null) return;
    if (row.node === OPERATORS) this.operators.take(row, this.through ?? 0);
    else this.links.takeRow(row.node, row.boot, row.event.seq, Buffer.from(row.hash, 'base64').toString('latin1'));
  }

  private endBlock(): void {
    const { rows } = this;
    if (rows === undefined) return;
    this.dropped += rows.end((day) => this.isDropped(day, this.through ?? 0));
    this.unhashed += rows.unhashed;
    this.rows = undefined;
    this.operators.settle(OPERATORS, this.through ?? 0);
    this.links.settle();
  }

  /** Whether the day was dropped after this block was sealed. */
  private isDropped(day: string, block: number): boolean {
    return (this.droppedDays.get(day) ?? 0) > block;
  }

  /** Whether some of what a link covers was dropped with its day. */
  private isGone({ boot, firstSeq, lastSeq }: AuditLink, node: string): boolean {
    return this.goneRuns.some((run) => run.node === node && run.boot === boot && run.firstSeq <= lastSeq && run.lastSeq >= firstSeq);
  }
}

function contentOf({ content }: AuditBlock): AuditBlockContent | undefined {
  return parsed(content, (value) => AuditBlockContent.safeParse(value).data);
}

function segmentsOf({ segments }: AuditBlock): AuditSegment[] | undefined {
  return parsed(segments, (value) => AuditSegment.array().safeParse(value).data);
}

function parsed<T>(json: string, read: (value: unknown) => T | undefined): T | undefined {
  try {
    return read(JSON.parse(json));
  } catch {
    return undefined;
  }
}
