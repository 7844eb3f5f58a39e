import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { sourceOf } from '@portcullis/boot';
import { looksLikeJwt } from '@portcullis/secrets';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problem.js';

const MINUTE_MS = 60_000;
/** Failures with one token id from one source within a minute, after which no secret is compared for it there. */
const PER_TOKEN_MAX = 10;
/** Failures of one source within a minute, after which only tokens are looked at that were right before. */
const PER_SOURCE_MAX = 1000;
const PLACES_MAX = 10_000;

interface Attempt {
  readonly door: 'operator' | 'node' | 'runner' | 'join';
  readonly token: string;
}

const SLOWED = 'Too many attempts failed; try again in a minute.';

/**
 * Slows down whoever guesses at any door of this process. What is counted is forgotten with the minute, and bounded: a source that fails keeps nobody
 * out at other places, and not even there a token that was right before.
 */
@Injectable()
export class FailedSignIns {
  private failures = new Map<string, number>();
  /** Public parts of tokens that were right, the oldest first. */
  private readonly known = new Set<string>();
  private since = 0;

  /** Gives what `check` gives; counts what it refuses (401), and refuses (429) before it is asked whoever failed too often. */
  async attempt<T>(request: Pick<FastifyRequest, 'ip'>, { door, token }: Attempt, check: () => Promise<T>): Promise<T> {
    this.beginMinute();
    const source = sourceOf(request.ip);
    const id = `${door} ${publicPartOf(token)}`;
    if (this.isSlowed(source, id)) throw new ProblemError('rate_limited', SLOWED);
    try {
      const result = await check();
      this.remember(id);
      return result;
    } catch (error) {
      if (error instanceof ProblemError && error.key === 'unauthenticated') for (const place of [source, `${source} ${id}`]) this.count(place);
      throw error;
    }
  }

  /** As if the minute were over. */
  forget(): void {
    this.failures = new Map();
    this.since = Date.now();
  }

  private isSlowed(source: string, id: string): boolean {
    if ((this.failures.get(`${source} ${id}`) ?? 0) >= PER_TOKEN_MAX) return true;
    return (this.failures.get(source) ?? 0) >= PER_SOURCE_MAX && !this.known.has(id);
  }

  private beginMinute(): void {
    if (Date.now() - this.since >= MINUTE_MS) this.forget();
  }

  private count(place: string): void {
    const times = this.failures.get(place) ?? 0;
    if (times > 0 || this.failures.size < PLACES_MAX) this.failures.set(place, times + 1);
  }

  private remember(id: string): void {
    this.known.delete(id);
    this.known.add(id);
    const [oldest] = this.known;
    if (this.known.size > PLACES_MAX && oldest !== undefined) this.known.delete(oldest);
  }
}

/** What tells tokens apart without their secrets: kind and id of one of ours, a hash of everything else. */
function publicPartOf(token: string): string {
  const ours = looksLikeJwt(token) ? undefined : /^[a-z]{2,6}_[a-z0-9]{16}(?=_)/.exec(token)?.[0];
  return ours ?? hash('sha256', token, 'base64url').slice(0, 22);
}
