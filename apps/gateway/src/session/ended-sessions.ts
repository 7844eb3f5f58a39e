import type { Redis } from 'ioredis';
import { hearChannels } from '../process/hear-channels.js';
import type { EndedSessions } from './agent-sessions.js';

const KEY = 'portcullis:ended-sessions';
const CHANNEL = 'portcullis:ended-sessions';
const REFRESH_MS = 30_000;
/** Sessions of which this node remembers that they ended; the oldest are forgotten first. */
const REMEMBERED_MAX = 100_000;

/**
 * Which sessions were ended, known to every node without asking on every call: told on a channel, and read whole at each connection and
 * regularly, which cures a missed message. Without Redis a node knows of its own.
 */
export class SharedEndedSessions implements EndedSessions {
  private readonly names = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly commands: Redis,
    subscriber: Redis,
    /** Here and in Redis, which one who ends session after session must not fill. */
    private readonly rememberedMax = REMEMBERED_MAX,
  ) {
    hearChannels(subscriber, [CHANNEL], (name) => this.remember(name, Date.now() + REFRESH_MS * 2));
    commands.on('ready', () => void this.refresh());
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS).unref();
    if (commands.status === 'ready') void this.refresh();
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  add(name: string, expiresAt: number): void {
    this.remember(name, expiresAt);
    this.commands
      .multi()
      .zadd(KEY, String(expiresAt), name)
      .zremrangebyrank(KEY, 0, -1 - this.rememberedMax)
      .publish(CHANNEL, name)
      .exec()
      .catch(() => undefined);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    const now = Date.now();
    for (const [name, expiresAt] of this.names) if (expiresAt <= now) this.names.delete(name);
    try {
      await this.commands.zremrangebyscore(KEY, '-inf', String(now));
      const found = await this.commands.zrange(KEY, '0', '-1', 'WITHSCORES');
      for (let at = 0; at + 1 < found.length; at += 2) this.remember(found[at] ?? '', Number(found[at + 1]));
    } catch {
      // Redis is away; the next refresh or connection brings what was missed.
    }
  }

  private remember(name: string, expiresAt: number): void {
    const known = this.names.get(name);
    this.names.set(name, Math.max(known ?? 0, expiresAt));
    if (this.names.size <= this.rememberedMax) return;
    const [oldest] = this.names.keys();
    if (oldest !== undefined) this.names.delete(oldest);
  }
}
