import { openText, type Sealer } from '@portcullis/secrets';
import type { Redis } from 'ioredis';
import { hearChannels } from '../process/hear-channels.js';
import type { RunningCalls } from './running-calls.js';

/** How a cancel reaches the other nodes; it may fail, and a call then runs to its end. */
export interface CancelChannel {
  publish(message: string): void;
  onMessage(listener: (message: string) => void): void;
}

const AAD = 'cancel|1';
/** A message kept and sent again later must not cancel the next call under the same id; clocks of nodes may differ by this much. */
const AGE_MS_MAX = 30_000;

/** Cancels a call on whichever node runs it. Messages between nodes are sealed, so that nobody else cancels anything or learns who calls. */
export class Cancels {
  constructor(
    private readonly parts: { calls: RunningCalls; channel: CancelChannel; sealer: () => Sealer; now: () => number; isReady: () => boolean },
  ) {
    parts.channel.onMessage((message) => this.take(message));
  }

  /** Cancels the call of this name, here or elsewhere. Nobody learns whether there was one. */
  cancel(name: string): void {
    const { calls, channel, sealer, now } = this.parts;
    if (!calls.cancel(name)) channel.publish(sealer().seal(JSON.stringify([name, now()]), AAD));
  }

  private take(message: string): void {
    const { calls, sealer, now, isReady } = this.parts;
    if (!isReady()) return;
    const text = openText(sealer(), message, AAD);
    if (text === undefined) return; // what is not from a node of ours cancels nothing
    const content: unknown = JSON.parse(text);
    if (!Array.isArray(content)) return;
    const [name, at]: unknown[] = content;
    if (typeof name === 'string' && typeof at === 'number' && Math.abs(now() - at) <= AGE_MS_MAX) calls.cancel(name);
  }
}

const CHANNEL = 'portcullis:cancel';

/** The channel over Redis. */
export function redisCancelChannel(commands: Redis, subscriber: Redis): CancelChannel {
  return {
    publish: (message) => void commands.publish(CHANNEL, message).catch(() => undefined),
    onMessage: (listener) => hearChannels(subscriber, [CHANNEL], listener),
  };
}
