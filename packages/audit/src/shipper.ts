import { randomBytes } from 'node:crypto';
import type { AuditBatch } from '@portcullis/contracts/audit';
import { encodeBatch, type FrameRun } from './batch.js';
import type { BatchQueue } from './batch-queue.js';
import type { Entry } from './entry.js';
import type { Frame } from './frame.js';
import type { AuditSigner } from './proof/audit-signer.js';
import { hashFrame } from './proof/hash-frame.js';
import { Shipments, type Shipment } from './shipments.js';
import { withDeadline } from './with-deadline.js';

const BATCH_EVENTS_MAX = 128;
const BATCH_BYTES_MAX = 256 * 1024;
/** Under load a batch gathers at least this long, and while an addition is under way; a call or two leave at once. */
const GATHER_MS = 2;
const FEW_EVENTS = 4;
/** An intent on its own may wait for its outcome; nobody's answer depends on it. */
const INTENT_GATHER_MS = 20;
const IN_FLIGHT_MAX = 4;
const RETRY_MS = 250;

/** A whole frame, as it lies in the spool or in memory. */
export type KeptFrame = Pick<Frame, 'seq' | 'bytes'>;

/** Takes a batch to where it is safe, or rejects. */
export type Deliver = (batch: AuditBatch, jobId: string) => Promise<void>;

export interface ShipperSource {
  readonly node: string;
  readonly boot: string;
  /** What is kept of the boot, by sequence number. */
  readonly spool: { framesFrom(seq: number, throughSeq?: number): Iterable<readonly KeptFrame[]> };
  /** Undefined until this node has registered its key. */
  readonly signer: () => AuditSigner | undefined;
}

/** Brings one boot's events into the queue, in batches, again and again until Postgres has them. */
export class Shipper {
  private line: Entry[] = [];
  private readonly shipments = new Shipments();
  private inFlight = 0;
  private lastShippedAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private shipsAt = 0;
  /** Whether somebody's answer waits for what is in the line. */
  private hasUrgent = false;
  private queueUp = true;
  /** Set while the queue's memory is too full for more. */
  pressed = false;

  constructor(
    private readonly source: ShipperSource,
    private readonly queue: BatchQueue,
    private readonly onQueued: (entries: readonly Entry[]) => void,
  ) {}

  /** Events neither acknowledged nor given up: 0 when all are in Postgres. */
  get unacknowledged(): number {
    return this.shipments.events + this.line.length;
  }

  /** Whether the queue is thought to take batches now. */
  get available(): boolean {
    return this.queueUp && !this.pressed;
  }

  /** Stops handing batches to a queue that is overdue, until `resend` finds it answering. */
  suspectQueue(): void {
    this.queueUp = false;
    this.ship();
  }

  /** Takes entries that follow one another. `urgent` when somebody's answer waits for them. */
  offer(entries: readonly Entry[], urgent: boolean): void {
    for (const entry of entries) this.line.push(entry);
    this.hasUrgent ||= urgent;
    if (this.line.length >= BATCH_EVENTS_MAX) this.ship();
    else if (!urgent) this.schedule(INTENT_GATHER_MS);
    // Many small jobs cost several times what one larger does: what comes while one is on its way leaves together.
    else if (this.inFlight === 0 || !this.available) this.shipSoon();
  }

  /** Puts a range that lies in the spool into the line for the next `resend`. */
  offerRange(firstSeq: number, lastSeq: number): void {
    this.shipments.push({ firstSeq, lastSeq, jobId: undefined, at: 0 });
  }

  /** The queue may have lost what it took: the next `resend` looks for all of it. */
  doubtQueue(): void {
    this.shipments.doubt();
  }

  acknowledge(contiguousSeq: number): void {
    this.shipments.acknowledge(contiguousSeq);
  }

  /** Sends again what never arrived, and what the queue has lost. Called regularly. */
  async resend(): Promise<void> {
    if (this.pressed) return;
    for (const shipment of this.shipments.due()) {
      try {
        if (shipment.jobId !== undefined && (await withDeadline(this.queue.has(shipment.jobId)))) {
          this.shipments.replace(shipment, [{ ...shipment, at: performance.now() }]);
          continue;
        }
        await this.sendRange(shipment, this.toQueue);
        this.queueUp = true;
      } catch {
        this.queueUp = false;
        return;
      }
    }
  }

  /** Takes past the queue what it does not take, for so long. Rejects where it is not taken there either; should the queue have it after all, nothing doubles. */
  async handOver(deliver: Deliver, untilMs: number): Promise<void> {
    for (const shipment of this.shipments.due()) {
      if (performance.now() > untilMs) return;
      await this.sendRange(shipment, deliver);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Sends what is in the line now, however little it is. */
  ship(): void {
    this.stop();
    this.hasUrgent = this.inFlight >= IN_FLIGHT_MAX && this.hasUrgent;
    while (this.line.length > 0 && this.inFlight < IN_FLIGHT_MAX) {
      const entries = this.takeBatch();
      if (!this.available && entries.every(({ spooled }) => spooled)) this.keepForLater(entries);
      else void this.send(entries);
    }
  }

  private shipSoon(): void {
    const restMs = GATHER_MS - (performance.now() - this.lastShippedAt);
    if (restMs <= 0 || this.line.length <= FEW_EVENTS) this.ship();
    else this.schedule(restMs);
  }

  /** Ships after so long, or when something less patient said so already. */
  private schedule(ms: number): void {
    const at = performance.now() + ms;
    if (this.timer && this.shipsAt <= at) return;
    clearTimeout(this.timer);
    this.shipsAt = at;
    this.timer = setTimeout(() => this.ship(), ms);
  }

  private takeBatch(): Entry[] {
    let bytes = 0;
    let count = 0;
    for (const { frame } of this.line) {
      if (count === BATCH_EVENTS_MAX || (count > 0 && bytes + frame.length > BATCH_BYTES_MAX)) break;
      bytes += frame.length;
      count += 1;
    }
    return this.line.splice(0, count);
  }

  private async send(entries: Entry[]): Promise<void> {
    this.inFlight += 1;
    this.lastShippedAt = performance.now();
    try {
      this.shipments.push(await this.deliver(runOf(entries), this.toQueue));
      this.queueUp = true;
      this.onQueued(entries);
    } catch {
      this.queueUp = false;
      this.keepForLater(entries);
    } finally {
      this.inFlight -= 1;
      if (!this.queueUp && this.line.length > 0) this.schedule(RETRY_MS);
      else if (this.hasUrgent) this.shipSoon();
      else if (this.line.length > 0) this.schedule(INTENT_GATHER_MS);
    }
  }

  /** What the spool has is sent from there; what only memory has goes back to the head of the line. */
  private keepForLater(entries: readonly Entry[]): void {
    const unspooled = entries.filter(({ spooled }) => !spooled);
    this.line.unshift(...unspooled);
    const [first, last] = [entries[0], entries.findLast(({ spooled }) => spooled)];
    if (first && last) this.offerRange(first.seq, last.seq);
  }

  private readonly toQueue: Deliver = (batch, jobId) => withDeadline(this.queue.add(batch, jobId));

  private async deliver(run: FrameRun, deliver: Deliver): Promise<Shipment> {
    const { node, boot, signer } = this.source;
    const { firstSeq } = run;
    const lastSeq = firstSeq + run.frames.length - 1;
    // No `:`, which the queue forbids. Nobody can know the id before: the queue ignores an addition under one that it has, whoever put that there.
    const jobId = `${node}-${boot}-${firstSeq}-${lastSeq}-${randomBytes(9).toString('base64url')}`;
    await deliver(encodeBatch(node, boot, run, signer()), jobId);
    return { firstSeq, lastSeq, jobId, at: performance.now() };
  }

  /** What has been taken when it fails stays taken. What is not kept any more is let go: no try would bring it, and that it is missing shows. */
  private async sendRange(shipment: Shipment, deliver: Deliver): Promise<void> {
    let rest: Shipment = shipment;
    for (const frames of inBatches(this.source.spool.framesFrom(shipment.firstSeq, shipment.lastSeq))) {
      const run = {
        firstSeq: frames[0]?.seq ?? 0,
        frames: frames.map(({ bytes }) => bytes),
        hashes: frames.map(({ bytes }) => hashFrame(bytes)).join(''),
      };
      const sent = await this.deliver(run, deliver);
      const next = { ...rest, firstSeq: sent.lastSeq + 1, jobId: undefined };
      this.shipments.replace(rest, [sent, next]);
      rest = next;
    }
    this.shipments.replace(rest, []);
  }
}

/** Cuts frames into runs that follow one another, of the size of a batch. */
function* inBatches(pieces: Iterable<readonly KeptFrame[]>): Generator<KeptFrame[]> {
  let frames: KeptFrame[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    for (const frame of piece) {
      const isNext = frames.length === 0 || frame.seq === (frames.at(-1)?.seq ?? 0) + 1;
      if (!isNext || frames.length === BATCH_EVENTS_MAX || bytes > BATCH_BYTES_MAX) {
        yield frames;
        frames = [];
        bytes = 0;
      }
      frames.push(frame);
      bytes += frame.bytes.length;
    }
  }
  if (frames.length > 0) yield frames;
}

function runOf(entries: readonly Entry[]): FrameRun {
  const frames: Buffer[] = [];
  let hashes = '';
  for (const { frame, hash } of entries) {
    frames.push(frame);
    hashes += hash;
  }
  return { firstSeq: entries[0]?.seq ?? 0, frames, hashes };
}
