import { setTimeout as pause } from 'node:timers/promises';
import type { SignedHead, SnapshotHead } from '@portcullis/contracts/snapshot';
import { createChunkReader, type ReadContents } from './chunk-reader.js';
import { CopyKeeper } from './copy-keeper.js';
import type { Follower, FollowerStatus, FollowOptions, HeadSource } from './follower.js';
import { HeadWatch } from './head-watch.js';
import { isNewer, judgeHead } from './judge-head.js';
import { createLastGoodCopy, type LastGoodCopy } from './last-good-copy.js';
import { loadSnapshot } from './load-snapshot.js';
import type { LoadedSnapshot } from './loaded-snapshot.js';
import { everythingOf, type PolicySnapshot } from './policy-snapshot.js';
import { RedisLink } from './redis-link.js';
import { Refusals } from './refusals.js';
import { releaseBytes } from './release-bytes.js';
import { openHead, parseSignedHead, type OpenedHead } from './signed-head.js';
import { within } from './within.js';

/** Without a newer head for this long, Redis is not relied on and the control plane is asked. */
const QUIET_MS_MAX = 3_000;
const CONTROL_PLANE_DEADLINE_MS = 5_000;
/** Rest between two applications, so that a storm of changes leaves the processor to the calls. */
const APPLY_GAP_MS = 20;

/**
 * Follows the published policy and keeps the newest good snapshot ready. Whatever is unsigned, older, unreadable or incomplete is refused and
 * what was served goes on being served; a lost message is cured by the next head.
 */
export function followSnapshots(options: FollowOptions): Follower {
  return new SnapshotFollower(options);
}

interface Received extends OpenedHead {
  readonly source: HeadSource;
  /** Monotonic. */
  readonly receivedAt: number;
}

class SnapshotFollower implements Follower {
  readonly firstLook: Promise<void>;
  readonly #options: FollowOptions;
  readonly #read: ReadContents;
  readonly #copy: LastGoodCopy;
  readonly #keeper: CopyKeeper;
  readonly #refusals: Refusals;
  readonly #watch: HeadWatch;
  /** The best there is; from disk it is not served before the first look has ended. */
  #loaded: LoadedSnapshot | undefined;
  #head: SnapshotHead | undefined;
  #signed: SignedHead | undefined;
  /** The head that lay on disk at the start, whether or not its contents could be read. */
  #floor: SnapshotHead | undefined;
  #current: PolicySnapshot | undefined;
  #source: HeadSource | null = null;
  /** Monotonic moment at which the policy counts as having been new. */
  #youngAt = -Infinity;
  #redisNewsAt = -Infinity;
  #heardAny = false;
  #wanted: Received | undefined;
  #applying: Promise<void> | undefined;
  #appliedAt = -Infinity;
  readonly #done = { appliedCount: 0, applyingMs: 0, fetchedBytes: 0 };
  #restored = false;
  #closed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    const link = new RedisLink(options.redis);
    this.#copy = createLastGoodCopy(options.directory);
    this.#keeper = new CopyKeeper(this.#copy, () => options.clock.monotonic());
    this.#read = createChunkReader(link, options.controlPlane, (bytes) => (this.#done.fetchedBytes += bytes));
    this.#refusals = new Refusals(options.onRefused);
    this.#watch = new HeadWatch(options, {
      link,
      onText: (text, source) => this.#receive(() => parseSignedHead(text), source),
      onLook: (redisAnswered) => this.#askControlPlane(redisAnswered),
    });
    this.firstLook = this.#start();
  }

  current(): PolicySnapshot | undefined {
    return this.#current;
  }

  ageMs(): number {
    return this.#current === undefined ? Infinity : Math.max(0, this.#options.clock.monotonic() - this.#youngAt);
  }

  status(): FollowerStatus {
    const served = this.#current;
    return {
      epoch: served?.epoch ?? null,
      revision: served?.revision ?? null,
      issuedAt: served === undefined ? null : (this.#head?.issuedAt ?? null),
      refused: this.#refusals.last,
      refusedCounts: this.#refusals.counts,
      ...this.#done,
      source: this.#source,
      persisted: this.#keeper.persisted,
    };
  }

  signedHead(): SignedHead | undefined {
    return this.#current === undefined ? undefined : this.#signed;
  }

  offerHead(signed: SignedHead): void {
    this.#receive(() => signed, 'offered');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.firstLook;
    await this.#watch.close();
    await this.#applying;
    await this.#keeper.flush();
  }

  async #start(): Promise<void> {
    await this.#restore();
    this.#restored = true;
    if (this.#closed) return;
    this.#watch.start();
    await this.#watch.look();
    await this.#applying;
    if (this.#current === undefined && this.#loaded !== undefined) this.#serve(this.#loaded, 'disk');
  }

  /** Reads the copy on disk: nothing older will be taken from now on, and what it holds need not be fetched. */
  async #restore(): Promise<void> {
    const { clock, verify } = this.#options;
    let revision: number | null = null;
    try {
      const signed = await this.#copy.readHead();
      if (signed === undefined) return;
      const head = openHead(signed, verify);
      revision = head.revision;
      judgeHead(head, { served: undefined, floor: undefined, now: clock.now() });
      this.#floor = head;
      const loaded = await loadSnapshot(head, undefined, this.#copy.readContents, (contents) => contents.forEach(releaseBytes));
      this.#loaded = loaded;
      [this.#head, this.#signed] = [head, signed];
      this.#youngAt = this.#youthOf(head, clock.monotonic());
      this.#keeper.restored(signed, loaded.sizes);
    } catch (error) {
      this.#refusals.add(error, revision);
    }
  }

  async #askControlPlane(redisAnswered: boolean): Promise<void> {
    await this.#applying;
    const { controlPlane, clock } = this.#options;
    const quiet = clock.monotonic() - this.#redisNewsAt > QUIET_MS_MAX;
    if (controlPlane === undefined || this.#closed || (redisAnswered && !quiet && this.#current !== undefined)) return;
    try {
      const signed = await within(CONTROL_PLANE_DEADLINE_MS, (signal) => controlPlane.fetchHead(signal));
      if (signed !== null) this.#receive(() => signed, 'control-plane');
    } catch {
      return; // it is away too: the age of the policy tells
    }
    await this.#applying;
  }

  #receive(parse: () => SignedHead, source: HeadSource): void {
    // Before the copy on disk is read, a head could not be judged against it; any head comes again.
    if (this.#closed || !this.#restored) return;
    const receivedAt = this.#options.clock.monotonic() - this.#watch.lateMs();
    let revision: number | null = null;
    try {
      const signed = parse();
      const head = openHead(signed, this.#options.verify);
      revision = head.revision;
      if (this.#isTakenUp({ head, signed, source, receivedAt })) this.#want({ head, signed, source, receivedAt });
    } catch (error) {
      this.#refusals.add(error, revision);
    }
  }

  /** Whether a head names something to load; one that only confirms what is loaded has its effect at once. */
  #isTakenUp(received: Received): boolean {
    const loaded = this.#loaded;
    const judgement = judgeHead(received.head, { served: loaded && this.#head, floor: this.#floor, now: this.#options.clock.now() });
    if (judgement === 'confirm' && loaded !== undefined) this.#confirm(received, loaded);
    return judgement === 'take';
  }

  #confirm(received: Received, loaded: LoadedSnapshot): void {
    this.#renewAge(received);
    this.#refusals.settled();
    this.#keeper.confirm(received.signed);
    if (this.#current === undefined) this.#serve(loaded, received.source);
    else this.#source = received.source;
  }

  #want(received: Received): void {
    if (this.#wanted === undefined || isNewer(received.head, this.#wanted.head)) this.#wanted = received;
    this.#applying ??= this.#applyWanted().finally(() => {
      this.#applying = undefined;
    });
  }

  /** One application at a time, always of the newest head known when it begins. */
  async #applyWanted(): Promise<void> {
    while (this.#wanted !== undefined && !this.#closed) {
      const gap = this.#appliedAt + APPLY_GAP_MS - performance.now();
      if (gap > 0) await pause(gap);
      const received = this.#wanted;
      this.#wanted = undefined;
      try {
        if (!this.#isTakenUp(received)) continue;
        const startedAt = performance.now();
        this.#done.fetchedBytes += received.signed.body.length;
        const loaded = await loadSnapshot(received.head, this.#loaded, this.#read, (contents) => this.#keeper.take(contents));
        this.#renewAge(received);
        this.#refusals.settled();
        this.#serve(loaded, received.source);
        this.#done.applyingMs += performance.now() - startedAt;
        this.#keeper.keep(received.signed, loaded.sizes, loaded.gone);
      } catch (error) {
        this.#keeper.drop();
        this.#refusals.add(error, received.head.revision);
      }
      this.#appliedAt = performance.now();
    }
  }

  #serve(loaded: LoadedSnapshot, source: HeadSource): void {
    const first = this.#current === undefined;
    this.#loaded = loaded;
    this.#current = first ? { ...loaded.snapshot, changed: everythingOf(loaded.snapshot) } : loaded.snapshot;
    this.#source = source;
    this.#done.appliedCount += 1;
    this.#options.onApplied(this.#current);
  }

  /** Only a head issued later than the one before makes the policy younger. */
  #renewAge({ head, signed, receivedAt, source }: Received): void {
    const newer = this.#head === undefined || head.issuedAt > this.#head.issuedAt;
    this.#head = newer ? head : { ...head, issuedAt: this.#head?.issuedAt ?? head.issuedAt };
    this.#signed = signed;
    if (!newer) return;
    this.#youngAt = this.#youthOf(head, receivedAt);
    if (source === 'message' || source === 'redis') this.#redisNewsAt = receivedAt;
    this.#heardAny = true;
  }

  /** The first head may have lain where it was found for long, so wall clocks tell its age; later ones are followed as they come. */
  #youthOf(head: SnapshotHead, receivedAt: number): number {
    return this.#heardAny ? receivedAt : receivedAt - Math.max(0, this.#options.clock.now() - head.issuedAt);
  }
}
