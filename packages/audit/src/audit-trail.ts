import { setTimeout } from 'node:timers/promises';
import type { AuditBatch, AuditLink, NewAuditEvent } from '@portcullis/contracts/audit';
import { GatewayError } from '@portcullis/contracts/errors';
import type { AuditRelease } from '@portcullis/contracts/snapshot';
import type { BatchQueue, QueueState } from './batch-queue.js';
import type { EarlierBoots } from './earlier-boots.js';
import { encodeEvent } from './encode-event.js';
import { giveUp, letGo, settle, type Entry, type Waiter } from './entry.js';
import { encodeFrame } from './frame.js';
import { KeptEvents } from './kept-events.js';
import { newEventId } from './new-event-id.js';
import type { BootChain } from './proof/boot-chain.js';
import { hashFrame } from './proof/hash-frame.js';
import type { AuditSigner } from './proof/audit-signer.js';
import { Shipper } from './shipper.js';
import type { Spool } from './spool.js';
import { withDeadline } from './with-deadline.js';

/** After this an outcome that the queue has not taken is released by the spool's fdatasync. */
const QUEUE_DEADLINE_MS = 250;
const SWEEP_MS = 50;
const RESEND_EVERY_MS = 1000;
/** A queue that takes nothing for so long is passed by. */
const HAND_OVER_AFTER_MS = 10_000;
/** Handing over goes on at the next turn, so that the queue is asked again meanwhile. */
const HAND_OVER_MS_MAX = 1000;

export interface TrailParts {
  readonly node: string;
  readonly boot: string;
  readonly spool: Spool;
  readonly queue: BatchQueue;
  readonly earlierBoots: EarlierBoots;
  readonly chain: BootChain;
  readonly signer: () => AuditSigner | undefined;
  readonly release: () => AuditRelease;
  /** Brings a batch to the control plane, while the queue takes none. */
  readonly handOver: (batch: AuditBatch) => Promise<void>;
  readonly onTrouble: (what: 'spool' | 'queue', error: unknown) => void;
  readonly unlock: () => void;
}

/** A node's record of what happened: every event is in the spool or the queue before anybody relies on it. */
export class AuditTrail {
  private readonly shipper: Shipper;
  private seq = 0;
  private readonly kept: KeptEvents;
  private queueLostAt: number | undefined;
  private queueState: QueueState | undefined;
  private fresh: Entry[] = [];
  private waiting: Entry[] = [];
  private flushScheduled = false;
  private closed = false;
  private resending = false;
  private readonly timers: NodeJS.Timeout[];

  constructor(private readonly parts: TrailParts) {
    this.kept = new KeptEvents(parts.spool, (error) => parts.onTrouble('spool', error));
    this.shipper = new Shipper({ ...parts, spool: this.kept }, parts.queue, (entries) => {
      for (const entry of entries) {
        entry.queued = true;
        settle(entry);
      }
    });
    this.timers = [setInterval(() => void this.sweep(), SWEEP_MS), setInterval(() => void this.resend(), RESEND_EVERY_MS)];
  }

  get boot(): string {
    return this.parts.boot;
  }

  /** Events of this and earlier boots that Postgres is not known to have. */
  get backlog(): number {
    return this.shipper.unacknowledged + this.parts.earlierBoots.unacknowledged;
  }

  /** Events that the spool does not take: 0 while its disk does its work. */
  get unspooled(): number {
    return this.kept.unspooledEvents;
  }

  /** How the queue's Redis may throw events away, where it may; it never should. */
  get queueEvictsBy(): string | null {
    return this.queueState?.evictsBy ?? null;
  }

  get spoolBytes(): number {
    return this.parts.spool.bytes;
  }

  /**
   * Records what is about to be done. Resolves when the record survives the death of this process; rejects with
   * `node.audit_unavailable` when nothing can take it, and then nothing may be done. The event is read before this returns.
   */
  recordIntent(event: NewAuditEvent): Promise<void> {
    return this.record(event, 'intent');
  }

  /** Records what was done or refused. Resolves as `audit.release` says; until then no answer may be complete. */
  recordOutcome(event: NewAuditEvent): Promise<void> {
    return this.record(event, this.parts.release());
  }

  /** The boots whose events this node still holds, each with the last sequence number it used. */
  held(): { boot: string; lastSeq: number }[] {
    return [{ boot: this.boot, lastSeq: this.seq }, ...this.parts.earlierBoots.held()];
  }

  /** Postgres has everything of these boots up to these numbers: what lies below is deleted here. */
  acknowledge(acknowledged: readonly { boot: string; contiguousSeq: number }[]): void {
    for (const { boot, contiguousSeq } of acknowledged) {
      if (boot === this.boot) {
        this.shipper.acknowledge(contiguousSeq);
        this.kept.acknowledge(contiguousSeq, this.parts.signer() ? Math.min(contiguousSeq, this.parts.chain.linkedSeq) : contiguousSeq);
      } else this.parts.earlierBoots.acknowledge(boot, contiguousSeq);
    }
  }

  /** Links of the chains of this and earlier boots that are to be handed to the control plane, again and again until `confirmLinks`. */
  links(): AuditLink[] {
    const signer = this.parts.signer();
    if (signer === undefined) return [];
    const own = this.parts.chain.link(signer);
    return [...(own ? [own] : []), ...this.parts.earlierBoots.links(signer)];
  }

  /** The control plane has these. */
  confirmLinks(links: readonly AuditLink[]): void {
    for (const link of links) {
      if (link.boot === this.boot) this.parts.chain.confirm(link);
      else this.parts.earlierBoots.confirm(link);
    }
  }

  /** Flushes to the spool and, within `graceMs`, to the queue. What the queue has not taken is sent at the next start. */
  async close(graceMs = 2000): Promise<void> {
    this.closed = true;
    this.flush();
    this.shipper.ship();
    const end = performance.now() + graceMs;
    while (this.waiting.some(({ waiter }) => waiter) && performance.now() < end) await setTimeout(SWEEP_MS);
    for (const timer of this.timers) clearInterval(timer);
    this.shipper.stop();
    await this.parts.spool.sync().catch((error: unknown) => this.parts.onTrouble('spool', error));
    this.parts.spool.close();
    this.parts.earlierBoots.close();
    this.parts.unlock();
  }

  private record(event: NewAuditEvent, rule: Waiter['rule']): Promise<void> {
    if (this.closed || !this.kept.hasRoom()) return Promise.reject(new GatewayError('node.audit_unavailable'));
    this.seq += 1;
    const { seq } = this;
    const id = event.phase === 'outcome' ? newEventId() : event.callId; // its first row has the call's own
    const frame = encodeFrame(seq, encodeEvent(id, seq, event));
    return new Promise((resolve, reject) => {
      const entry = { seq, frame, hash: hashFrame(frame), at: performance.now(), spooled: false, queued: false, waiter: { rule, resolve, reject } };
      this.kept.push(entry);
      this.fresh.push(entry);
      this.waiting.push(entry);
      if (this.flushScheduled) return;
      this.flushScheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** One write for everything that was recorded in this turn of the event loop. */
  private flush(): void {
    this.flushScheduled = false;
    this.kept.flush();
    const fresh = this.fresh;
    this.fresh = [];
    const last = fresh.at(-1);
    if (last === undefined) return;
    let hashes = '';
    for (const { hash } of fresh) hashes += hash;
    this.parts.chain.add(hashes, last.seq);
    const waiting = fresh.filter(({ waiter }) => waiter);
    this.shipper.offer(fresh, waiting.length > 0);
    if (waiting.length > 0 && !this.shipper.available) void this.goOnWithoutQueue(waiting);
  }

  private async goOnWithoutQueue(entries: readonly Entry[]): Promise<void> {
    // A queue that is only pressed still takes what the spool does not.
    if (this.kept.isFailing && !this.shipper.pressed) for (const entry of entries) giveUp(entry);
    else await this.releaseBySpool(entries);
  }

  /** Stands in for a queue that takes nothing: the disk itself has the records before anybody is let go. */
  private async releaseBySpool(entries: readonly Entry[]): Promise<void> {
    const synced = await this.parts.spool.sync().then(
      () => true,
      () => false,
    );
    for (const entry of entries) if (synced && entry.spooled && entry.waiter?.rule === 'queue') letGo(entry);
  }

  private async sweep(): Promise<void> {
    this.kept.flush();
    const overdueBefore = performance.now() - QUEUE_DEADLINE_MS;
    this.waiting = this.waiting.filter(({ waiter }) => waiter);
    const overdue = this.waiting.filter(({ at }) => at < overdueBefore);
    if (overdue.length === 0) return;
    if (this.shipper.available) this.parts.onTrouble('queue', new Error(`The queue took longer than ${QUEUE_DEADLINE_MS} ms`));
    this.shipper.suspectQueue();
    await this.releaseBySpool(overdue);
    for (const entry of overdue) giveUp(entry);
  }

  private async resend(): Promise<void> {
    if (this.resending) return;
    this.resending = true;
    const { earlierBoots } = this.parts;
    if (this.kept.lookAfter()) this.parts.chain.keepAgain();
    await this.lookAtQueue();
    await this.shipper.resend();
    if (!this.shipper.pressed) await earlierBoots.resend();
    if (this.shipper.available) this.queueLostAt = undefined;
    else await this.handOver((this.queueLostAt ??= performance.now()));
    this.resending = false;
  }

  private async lookAtQueue(): Promise<void> {
    const { queue, earlierBoots, onTrouble } = this.parts;
    const before = this.queueState;
    const state = await withDeadline(queue.state()).catch(() => undefined);
    if (state === undefined) return;
    this.queueState = state;
    this.shipper.pressed = state.pressed;
    if (before !== undefined && before.identity !== state.identity) {
      this.shipper.doubtQueue();
      earlierBoots.doubtQueue();
    }
    if (state.evictsBy !== null && before?.evictsBy !== state.evictsBy)
      onTrouble('queue', new Error(`Redis may throw away what waits in it (maxmemory-policy ${state.evictsBy}): it has to be noeviction`));
  }

  private async handOver(queueLostAt: number): Promise<void> {
    if (performance.now() - queueLostAt < HAND_OVER_AFTER_MS) return;
    const untilMs = performance.now() + HAND_OVER_MS_MAX;
    try {
      await this.shipper.handOver(this.parts.handOver, untilMs);
      await this.parts.earlierBoots.handOver(this.parts.handOver, untilMs);
    } catch (error) {
      this.parts.onTrouble('queue', error);
    }
  }
}
