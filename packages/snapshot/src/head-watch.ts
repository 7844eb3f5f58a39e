import { snapshotKeys } from '@portcullis/contracts/snapshot';
import type { FollowOptions } from './follower.js';
import { HEAD_BYTES_MAX } from './limits.js';
import { answersSoon, type RedisLink } from './redis-link.js';
import { STALL_TURN_MS, StallWatch } from './stall-watch.js';
import { within } from './within.js';

const REDIS_DEADLINE_MS = 1_000;
const DEFAULT_POLL_MS = 2_000;
/** A flood of messages is worth at most one look at the latest in this time: verifying a signature costs. */
const MESSAGE_GAP_MS = 5;

interface Watching {
  readonly link: RedisLink;
  /** The text of a head from Redis. */
  readonly onText: (text: string, source: 'message' | 'redis') => void;
  /** Called at each regular look, with whether Redis answered. */
  readonly onLook: (redisAnswered: boolean) => Promise<void>;
}

/** Hears of heads by message, and looks at Redis regularly, since a message can be lost without a trace. */
export class HeadWatch {
  readonly #options: FollowOptions;
  readonly #link: RedisLink;
  readonly #watching: Watching;
  readonly #onMessage = (channel: string, text: string): void => this.#heard(channel, text);
  readonly #onReady = (): void => void this.look();
  #latest: string | undefined;
  #messageTimer: NodeJS.Timeout | undefined;
  #handledAt = -Infinity;
  #pollTimer: NodeJS.Timeout | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #stalls: StallWatch | undefined;
  #subscribed = false;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(options: FollowOptions, watching: Watching) {
    this.#options = options;
    this.#link = watching.link;
    this.#watching = watching;
  }

  start(): void {
    if (this.#closed) return;
    this.#options.subscriber.on('message', this.#onMessage);
    // Whatever was published while the connection was away was not heard.
    this.#options.subscriber.on('ready', this.#onReady);
    this.#schedule();
    const stalls = (this.#stalls = new StallWatch(() => performance.now()));
    this.#stallTimer = setInterval(() => stalls.turn(), STALL_TURN_MS).unref();
  }

  /** For how long a head that is handed on at this moment may have lain unread; milliseconds. */
  lateMs(): number {
    return this.#stalls?.lateMs() ?? 0;
  }

  /** Looks at Redis now; joins a look that is under way. Never rejects. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#messageTimer);
    clearInterval(this.#stallTimer);
    const { subscriber } = this.#options;
    subscriber.off('message', this.#onMessage);
    subscriber.off('ready', this.#onReady);
    await this.#looking;
    if (this.#subscribed && subscriber.status === 'ready')
      await within(REDIS_DEADLINE_MS, () => subscriber.unsubscribe(snapshotKeys.channel)).catch(() => undefined);
  }

  #schedule(): void {
    const pollMs = this.#options.pollMs ?? DEFAULT_POLL_MS;
    // Jitter keeps the nodes of one start-up from asking in step.
    this.#pollTimer = setTimeout(
      () => {
        void this.look().finally(() => {
          if (!this.#closed) this.#schedule();
        });
      },
      pollMs * (0.9 + Math.random() * 0.2),
    );
  }

  async #look(): Promise<void> {
    const [text] = await Promise.all([this.#readHead(), this.#subscribe()]);
    if (this.#closed) return;
    if (text !== undefined && text !== '') this.#watching.onText(text, 'redis');
    await this.#watching.onLook(text !== undefined);
  }

  async #readHead(): Promise<string | undefined> {
    return this.#link.probe(REDIS_DEADLINE_MS, (redis) => redis.getrange(snapshotKeys.head, 0, HEAD_BYTES_MAX));
  }

  /** Once it has succeeded, the client renews the subscription at each reconnection by itself. */
  async #subscribe(): Promise<void> {
    const { subscriber } = this.#options;
    if (this.#subscribed || !answersSoon(subscriber)) return;
    const done = within(REDIS_DEADLINE_MS, () => subscriber.subscribe(snapshotKeys.channel));
    this.#subscribed = await done.then(
      () => true,
      () => false,
    );
  }

  #heard(channel: string, text: string): void {
    if (channel !== snapshotKeys.channel) return;
    this.#latest = text;
    if (this.#messageTimer !== undefined) return;
    const gap = this.#handledAt + MESSAGE_GAP_MS - performance.now();
    if (gap <= 0) this.#handleLatest();
    else this.#messageTimer = setTimeout(() => this.#handleLatest(), gap);
  }

  #handleLatest(): void {
    this.#messageTimer = undefined;
    this.#handledAt = performance.now();
    const text = this.#latest;
    this.#latest = undefined;
    if (text !== undefined) this.#watching.onText(text, 'message');
  }
}
