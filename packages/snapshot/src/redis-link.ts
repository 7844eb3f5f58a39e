import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { within } from './within.js';

/** Whether a command may be tried now; without a connection it would only wait in the client's queue. */
export const answersSoon = ({ status }: Redis): boolean => status === 'ready' || status === 'connect' || status === 'connecting' || status === 'wait';

/**
 * Redis as the follower reads it. A connection can hang without closing: after one command in vain nobody waits for it again until a regular look
 * was answered.
 */
export class RedisLink {
  readonly #redis: Redis;
  #hangs = false;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Asks even when the last command was in vain; undefined without an answer. */
  async probe<Answer>(limitMs: number, work: (redis: Redis) => Promise<Answer>): Promise<Answer | undefined> {
    if (!answersSoon(this.#redis)) return undefined;
    try {
      const answer = await within(limitMs, async (signal) => {
        await connected(this.#redis, signal);
        return work(this.#redis);
      });
      this.#hangs = false;
      return answer;
    } catch (error) {
      this.#hangs = !(error instanceof Error && error.name === 'ReplyError'); // a refusal is an answer too
      return undefined;
    }
  }

  /** Asks unless Redis is known to hang; undefined without an answer. */
  async ask<Answer>(limitMs: number, work: (redis: Redis) => Promise<Answer>): Promise<Answer | undefined> {
    return this.#hangs ? undefined : this.probe(limitMs, work);
  }
}

/**
 * A client without a queue of its own refuses what comes before its connection stands: a node that starts would take Redis for gone, and read all of its
 * policy from the control plane.
 */
async function connected(redis: Redis, signal: AbortSignal): Promise<void> {
  if (redis.status === 'connect' || redis.status === 'connecting') await once(redis, 'ready', { signal });
}
