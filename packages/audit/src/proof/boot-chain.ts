import { createHash, type Hash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditLink } from '@portcullis/contracts/audit';
import type { AuditSigner } from './audit-signer.js';
import { linkText, NO_LINK } from './link-text.js';

/** So far apart links are made while events come: each costs a signature here, and a row in Postgres. */
const LINK_EVERY_MS = 10_000;

/** What is set aside on the disk for a link: without one a full disk would be full for ever, since a spool forgets nothing that is in no link. */
const RESERVE_BYTES = 8192;

/** What a chain must remember across the death of its process: the last link, and whether the control plane has it. */
interface Kept {
  readonly link: AuditLink;
  readonly confirmed: boolean;
}

interface ChainPlace {
  readonly node: string;
  readonly boot: string;
  /** The boot's folder. */
  readonly directory: string;
}

/**
 * The hash chain over all frames of a boot. At most one link is on its way; meanwhile events go on into the next one, so that a control plane which
 * is away costs no memory. A link is kept beside the spool before it leaves: never are two made of the same events.
 */
export class BootChain {
  private running: Hash;
  private prev = NO_LINK;
  private firstSeq = 1;
  private lastSeq = 0;
  private pending: AuditLink | undefined;
  private linkedAt = performance.now();
  private kept: Kept | undefined;

  private constructor(private readonly place: ChainPlace) {
    this.running = createHash('sha256').update(this.prev, 'hex');
    setAside(place.directory);
  }

  static begin(place: ChainPlace): BootChain {
    return new BootChain(place);
  }

  /** As an earlier process left it. What it had not linked yet has to be added again. */
  static resume(place: ChainPlace): BootChain {
    const chain = new BootChain(place);
    const kept = readKept(place.directory);
    if (kept === undefined) return chain;
    chain.kept = kept;
    chain.goOnBehind(kept.link);
    chain.lastSeq = kept.link.lastSeq;
    if (!kept.confirmed) chain.pending = kept.link;
    return chain;
  }

  /** Everything up to here is in links; the spool may forget it. */
  get linkedSeq(): number {
    return this.firstSeq - 1;
  }

  /** Whether the control plane has links over everything that was added. */
  get isHandedOver(): boolean {
    return this.pending === undefined && this.lastSeq < this.firstSeq;
  }

  /** Takes the hashes of the next frames, one behind the other; `lastSeq` is that of the last. */
  add(hashes: string, lastSeq: number): void {
    this.running.update(hashes, 'latin1');
    this.lastSeq = lastSeq;
  }

  /** The link that is on its way, or a new one where it is time; `atOnce` for a boot to which nothing will be added. */
  link(signer: AuditSigner, atOnce = false): AuditLink | undefined {
    if (this.pending !== undefined) return this.pending;
    if (this.lastSeq < this.firstSeq || (!atOnce && performance.now() - this.linkedAt < LINK_EVERY_MS)) return undefined;
    const { firstSeq, lastSeq, prev } = this;
    const unsigned = { boot: this.place.boot, firstSeq, lastSeq, prev, digest: this.running.copy().digest('hex') };
    const link = { ...unsigned, keyId: signer.keyId, signature: signer.sign(linkText(this.place.node, unsigned)) };
    if (!this.keep(link, false)) return undefined;
    this.pending = link;
    this.goOnBehind(link);
    return link;
  }

  confirm(link: AuditLink): void {
    if (this.pending?.lastSeq !== link.lastSeq) return;
    this.keep(this.pending, true);
    this.pending = undefined;
  }

  /** Writes down the last link once more, where the folder was deleted: without it the next process would begin the chain anew. */
  keepAgain(): void {
    if (this.kept !== undefined) this.keep(this.kept.link, this.kept.confirmed);
  }

  private goOnBehind({ digest, lastSeq }: AuditLink): void {
    this.prev = digest;
    this.firstSeq = lastSeq + 1;
    this.running = createHash('sha256').update(digest, 'hex');
    this.linkedAt = performance.now();
  }

  /** A disk that takes nothing puts off the link, not the events. */
  private keep(link: AuditLink, confirmed: boolean): boolean {
    const { directory } = this.place;
    const kept = { link, confirmed };
    if (!replaceKept(directory, kept)) {
      rmSync(reserveIn(directory), { force: true });
      if (!replaceKept(directory, kept)) return false;
    }
    this.kept = kept;
    setAside(directory);
    return true;
  }
}

const reserveIn = (directory: string): string => join(directory, 'chain.reserve');

/** Sets room aside where there is any. */
function setAside(directory: string): void {
  const path = reserveIn(directory);
  try {
    if (statSync(path, { throwIfNoEntry: false })?.size !== RESERVE_BYTES) writeFileSync(path, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 });
  } catch {
    // Tried again with the next link.
  }
}

function replaceKept(directory: string, kept: Kept): boolean {
  const path = join(directory, 'chain.json');
  try {
    writeFileSync(`${path}.next`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${path}.next`, path);
    return true;
  } catch {
    return false;
  }
}

function readKept(directory: string): Kept | undefined {
  try {
    const { link, confirmed } = JSON.parse(readFileSync(join(directory, 'chain.json'), 'utf8')) as { link: unknown; confirmed: unknown };
    return { link: AuditLink.parse(link), confirmed: confirmed === true };
  } catch {
    return undefined;
  }
}
