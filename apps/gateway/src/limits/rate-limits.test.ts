import { GatewayError } from '@portcullis/contracts/errors';
import { expect, test } from 'vitest';
import type { Lease, LeaseWish } from './leases.js';
import { RateLimits } from './rate-limits.js';

const limit = { calls: 100, perSeconds: 10 };

function setUp(answer: (wish: LeaseWish) => Promise<Lease>) {
  const wishes: LeaseWish[] = [];
  const clock = { now: 1000 };
  const limits = new RateLimits(
    (wish) => {
      wishes.push(wish);
      return answer(wish);
    },
    () => clock.now,
  );
  return { limits, wishes, clock };
}

const granting = (wish: LeaseWish): Promise<Lease> => Promise.resolve({ tokens: wish.wanted, slice: 1, freeInMs: 0 });

async function passes(limits: RateLimits, agent = 'a'): Promise<boolean> {
  try {
    await limits.take('g', agent, limit);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'limit.grant_rate') return false;
    throw error;
  }
}

test('a call waits for nothing while its node has tokens, and leases grow up to a twentieth of the limit', async () => {
  const { limits, wishes } = setUp(granting);
  let waited = 0;
  for (let calls = 0; calls < 50; calls += 1) {
    const taken = limits.take('g', 'a', limit);
    if (taken === undefined) continue;
    waited += 1;
    await taken;
  }
  expect(wishes.map(({ wanted }) => wanted)).toEqual([2, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5]);
  expect(waited).toBe(11);
});

test('what was not used in time is given back, once, and the next lease is small', async () => {
  const { limits, wishes, clock } = setUp(granting);
  for (let calls = 0; calls < 7; calls += 1) await passes(limits);
  clock.now += 1000;
  await passes(limits);
  clock.now += 1000;
  await passes(limits);
  expect(wishes.slice(3).map(({ wanted, unused }) => [wanted, unused.tokens])).toEqual([
    [1, 4],
    [2, 0],
  ]);
});

test('calls that come together ask once, for all of them', async () => {
  const { limits, wishes } = setUp(granting);
  expect(await Promise.all(Array.from({ length: 30 }, () => passes(limits)))).not.toContain(false);
  expect(wishes.length).toBeLessThanOrEqual(3);
});

test('who is refused is refused from memory until there are tokens again', async () => {
  const { limits, wishes, clock } = setUp(() => Promise.resolve({ tokens: 0, slice: 1, freeInMs: 700 }));
  for (let calls = 0; calls < 10; calls += 1) expect(await passes(limits)).toBe(false);
  expect(wishes).toHaveLength(1);
  await expect((async () => limits.take('g', 'a', limit))()).rejects.toMatchObject({ code: 'limit.grant_rate', detail: { retryAfterMs: 700 } });
  clock.now += 701;
  await passes(limits);
  expect(wishes).toHaveLength(2);
});

test('each agent under a grant has the limit to itself', async () => {
  const { limits, wishes } = setUp(granting);
  await passes(limits, 'a');
  await passes(limits, 'b');
  expect(wishes.map(({ key }) => key)).toEqual(['g:a', 'g:b']);
});

test('without the shared count a node allows the whole limit, its own earlier calls included, and tries again after a while', async () => {
  let isThere = true;
  const { limits, wishes, clock } = setUp((wish) => (isThere ? granting(wish) : Promise.reject(new Error('gone'))));
  for (let calls = 0; calls < 40; calls += 1) expect(await passes(limits)).toBe(true);
  isThere = false;
  let passed = 40;
  while (await passes(limits)) passed += 1;
  expect(passed).toBe(100);
  const asked = wishes.length;
  expect(await passes(limits)).toBe(false);
  expect(wishes).toHaveLength(asked);
  isThere = true;
  clock.now += 5001;
  expect(await passes(limits)).toBe(true);
  expect(wishes.length).toBe(asked + 1);
});

test('tokens that are always too late do not hold a call up for ever', async () => {
  const { limits, clock } = setUp(async (wish) => {
    clock.now += 2000;
    return granting(wish);
  });
  expect(await passes(limits)).toBe(true);
});
