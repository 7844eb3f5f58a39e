import { connectRedis, freshRedis } from '@portcullis/testing';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redisLeases } from './leases.js';
import { Meters, type SharedTerms } from './meters.js';

let own: Awaited<ReturnType<typeof freshRedis>>;
let redis: Redis;
let count = 0;

beforeAll(async () => {
  own = await freshRedis();
  redis = connectRedis(own.url);
});
afterAll(async () => {
  redis.disconnect();
  await own.stop();
});

/** The count in Redis as it is, but for its clock, which is ours. */
function redisAt(clock: { now: number }): Redis {
  const at = (script: string): string => script.replace("redis.call('TIME')", '{ARGV[#ARGV - 1], ARGV[#ARGV]}');
  const evaluate = (script: string, ...rest: (string | number)[]): Promise<unknown> =>
    redis.eval(at(script), ...(rest as [number, ...string[]]), Math.floor(clock.now / 1000), (clock.now % 1000) * 1000);
  return { eval: evaluate } as unknown as Redis;
}

interface Step {
  /** On which nodes calls come in together. */
  readonly calls: readonly number[];
  /** What passes until the next. */
  readonly waitMs: number;
}

/** Makes the calls and gives the times of those that passed. */
async function letThrough(terms: SharedTerms, nodes: number, steps: readonly Step[]): Promise<number[]> {
  // Long after this test is run: Redis keeps nothing whose time is over by its own clock.
  const clock = { now: Date.UTC(2126, 10, 22, 23, 50) };
  const now = (): number => clock.now;
  const key = `property-${String((count += 1))}`;
  const leases = redisLeases(redisAt(clock));
  const all = Array.from({ length: nodes }, () => new Meters(leases, { monotonic: now, wall: now }).of(key, terms));
  const passed: number[] = [];
  for (const { calls, waitMs } of steps) {
    const takings = calls.map(async (node) => all[node % nodes]?.take());
    for (const taken of await Promise.all(takings)) if (taken === 0) passed.push(clock.now);
    clock.now += waitMs;
  }
  return passed;
}

const steps = (waitMsMax: number) =>
  fc.array(fc.record({ calls: fc.array(fc.nat(6), { maxLength: 12 }), waitMs: fc.nat(waitMsMax) }), { minLength: 5, maxLength: 25 });

test('whatever the limit, the nodes and the order in which calls come: no window sees more calls than a rate allows', async () => {
  const cases = fc.record({
    calls: fc.integer({ min: 1, max: 60 }),
    perSeconds: fc.integer({ min: 1, max: 120 }),
    nodes: fc.integer({ min: 1, max: 7 }),
  });
  const given = cases.chain((limit) => fc.record({ limit: fc.constant(limit), steps: steps(limit.perSeconds * 300) }));
  await fc.assert(
    fc.asyncProperty(given, async ({ limit: { nodes, ...limit }, steps: taken }) => {
      const times = await letThrough({ kind: 'rate', ...limit }, nodes, taken);
      const windowMs = limit.perSeconds * 1000;
      for (const [at, from] of times.entries()) {
        const within = times.slice(at).filter((time) => time < from + windowMs).length;
        expect(within).toBeLessThanOrEqual(limit.calls);
      }
    }),
    { numRuns: 150 },
  );
});

test('whatever the quota, the nodes and the order in which calls come: a day sees no more calls than its quota', async () => {
  const given = fc.record({ calls: fc.integer({ min: 1, max: 120 }), nodes: fc.integer({ min: 1, max: 7 }), steps: steps(120_000) });
  await fc.assert(
    fc.asyncProperty(given, async ({ calls, nodes, steps: taken }) => {
      const times = await letThrough({ kind: 'quota', calls, per: 'day' }, nodes, taken);
      const perDay = Map.groupBy(times, (time) => Math.floor(time / 86_400_000));
      for (const ofDay of perDay.values()) expect(ofDay.length).toBeLessThanOrEqual(calls);
    }),
    { numRuns: 150 },
  );
});

test('a quota is had to its last call while every node is asked', async () => {
  const everyNode = Array.from({ length: 60 }, () => ({ calls: [0, 1, 2, 3, 4], waitMs: 10 }));
  expect(await letThrough({ kind: 'quota', calls: 211, per: 'month' }, 5, everyNode)).toHaveLength(211);
});
