import { Inject, Injectable } from '@nestjs/common';
import { CallLimitTerms, countKeys } from '@portcullis/contracts/limits';
import { isGlob, periodAt, rateUse, type Use } from '@portcullis/policy';
import { Redis } from 'ioredis';
import type { LimitRow } from './limits.repository.js';

/** What is used of a limit under one name. */
export interface CountedLimit {
  readonly key: string;
  readonly terms: CallLimitTerms;
}

/** How much of limits is used, as nodes count it in Redis. */
@Injectable()
export class LimitUses {
  constructor(@Inject(Redis) private readonly redis: Redis) {}

  /** By the id of a limit; undefined where it cannot be told. */
  async of(rows: readonly LimitRow[]): Promise<(id: string) => Use | undefined> {
    const counted = rows.flatMap((row) => {
      const key = keyOf(row);
      return key === undefined ? [] : [{ id: row.id, key, terms: CallLimitTerms.parse(row.terms) }];
    });
    const uses = await this.read(counted);
    const byId = new Map(counted.map(({ id }, at) => [id, uses[at]]));
    return (id) => byId.get(id);
  }

  /** In the same order; undefined for all of them while Redis is away, and for what each node counts by itself. */
  async read(limits: readonly CountedLimit[]): Promise<(Use | undefined)[]> {
    if (limits.length === 0) return [];
    const now = Date.now();
    const pipeline = this.redis.pipeline().time();
    for (const { key, terms } of limits) {
      if (terms.kind === 'rate') pipeline.hgetall(countKeys.rate(key, terms.perSeconds * 1000));
      else pipeline.get(countKeys.quota(key, terms.kind === 'quota' ? periodAt(terms.per, now).name : 'none'));
    }
    let answers: (readonly [Error | null, unknown])[];
    try {
      answers = (await pipeline.exec()) ?? [];
    } catch {
      return limits.map(() => undefined);
    }
    const [, time] = answers[0] ?? [null, undefined];
    const [seconds = 0, micros = 0] = Array.isArray(time) ? time.map(Number) : [];
    return limits.map(({ terms }, at) => {
      const [error, answer] = answers[at + 1] ?? [new Error('no answer'), undefined];
      return error === null ? useOf(terms, answer, { redis: seconds * 1000 + micros / 1000, own: now }) : undefined;
    });
  }
}

function useOf(terms: CallLimitTerms, answer: unknown, now: { readonly redis: number; readonly own: number }): Use | undefined {
  if (terms.kind === 'concurrency') return undefined;
  if (terms.kind === 'rate') return rateUse(terms, (answer ?? {}) as Record<string, string>, now.redis);
  const used = Number(answer ?? 0);
  return { used, freeInMs: used < terms.calls ? 0 : periodAt(terms.per, now.own).endsAt - now.own };
}

/** Where several tools have the limit each to itself, there is no one count. */
function keyOf({ id, tools }: LimitRow): string | undefined {
  const [tool, another] = tools;
  if (tool === undefined) return id;
  return another === undefined && !isGlob(tool) ? `${id}:${tool}` : undefined;
}
