import { encodeBatch, type FrameRun } from './batch.js';
import type { BatchQueue } from './batch-queue.js';
import type { Entry } from './entry.js';
import type { AuditSigner } from './proof/audit-signer.js';
import { hashFrame } from './proof/hash-frame.js';
import type { Spool } from './spool.js';
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
/** A batch that is neither acknowledged nor in the queue after this is sent again. */
const RESEND_AFTER_MS = 30_000;

/** A range of sequence numbers that has left, or should leave, for the queue. */
interface Shipment {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Undefined while the range has not reached the queue. */
  readonly jobId: string | undefined;
  readonly at: number;
}

export interface ShipperSource {
  readonly node: string;
  readonly boot: string;
  readonly spool: Spool;
  /** Undefined until this node has registered its key. */
  readonly signer: () => AuditSigner | undefined;
}

/** Brings one boot's events into the queue, in batches, again and again until Postgres has them. */
export class Shipper {
  private line: Entry[] = [];
  private shipments: Shipment[] = [];
  private inFlight = 0;
  private lastShippedAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private shipsAt = 0;
  /** Whether somebody's answer waits for what is in the line. */
  private hasUrgent = false;
  private queueUp = true;
  private attempt = 0;
  /** Set while the queue's memory is too full for more. */
  pressed = false;

  constructor(
    private readonly source: ShipperSource,
    private readonly queue: BatchQueue,
    private readonly onQueued: (entries: readonly Entry[]) => void,
  ) {}

  /** Events neither acknowledged nor given up: 0 when all are in Postgres. */
  get unacknowledged(): number {
    return this.shipments.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, this.line.length);
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

  acknowledge(contiguousSeq: number): void {
    this.shipments = this.shipments.filter(({ lastSeq }) => lastSeq > contiguousSeq);
  }

  /** Sends again what never arrived, and what the queue has lost. Called regularly. */
  async resend(): Promise<void> {
    const now = performance.now();
    if (this.pressed) return;
    for (const shipment of this.shipments.slice()) {
      const overdue = shipment.jobId !== undefined && now - shipment.at > RESEND_AFTER_MS;
      if (shipment.jobId !== undefined && !overdue) continue;
      try {
        if (shipment.jobId !== undefined && (await withDeadline(this.queue.has(shipment.jobId)))) {
          this.replace(shipment, [{ ...shipment, at: now }]);
          continue;
        }
        this.replace(shipment, await this.sendRange(shipment));
        this.queueUp = true;
      } catch {
        this.queueUp = false;
        return;
      }
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
      // Apart from the push: what is acknowledged meanwhile makes another list of `shipments`.
      const shipment = await this.add(runOf(entries));
      this.shipments.push(shipment);
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

  private async add(run: FrameRun): Promise<Shipment> {
    const { node, boot, signer } = this.source;
    const { firstSeq } = run;
    const lastSeq = firstSeq + run.frames.length - 1;
    this.attempt += 1;
    // No `:`, which the queue forbids. The attempt makes the id new: the queue ignores an addition under an id it knows, whoever put it there.
    const jobId = `${node}-${boot}-${firstSeq}-${lastSeq}-${this.attempt}`;
    await withDeadline(this.queue.add(encodeBatch(node, boot, run, signer()), jobId));
    return { firstSeq, lastSeq, jobId, at: performance.now() };
  }

  private async sendRange({ firstSeq, lastSeq }: Shipment): Promise<Shipment[]> {
    const sent: Shipment[] = [];
    let frames: Buffer[] = [];
    let bytes = 0;
    let next = firstSeq;
    const flush = async (): Promise<void> => {
      if (frames.length > 0) sent.push(await this.add({ firstSeq: next - frames.length, frames, hashes: frames.map(hashFrame).join('') }));
      frames = [];
      bytes = 0;
    };
    for (const piece of this.source.spool.framesFrom(firstSeq, lastSeq)) {
      for (const frame of piece) {
        if (frame.seq !== next || frames.length === BATCH_EVENTS_MAX || bytes > BATCH_BYTES_MAX) await flush();
        next = frame.seq + 1;
        frames.push(frame.bytes);
        bytes += frame.bytes.length;
      }
    }
    await flush();
    return sent;
  }

  private replace(old: Shipment, by: readonly Shipment[]): void {
    const place = this.shipments.indexOf(old);
    if (place !== -1) this.shipments.splice(place, 1, ...by);
  }
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
