import { describe, expect, test } from 'vitest';
import type { Meter } from './leased-count.js';
import type { QuotaWish, RateLease, RateWish } from './leases.js';
import { Meters } from './meters.js';

const limit = { calls: 100, perSeconds: 10 };

function setUp(answer: (wish: RateWish) => Promise<RateLease>) {
  const wishes: RateWish[] = [];
  const clock = { now: 1000 };
  const rate = (wish: RateWish): Promise<RateLease> => {
    wishes.push(wish);
    return answer(wish);
  };
  const monotonic = (): number => clock.now;
  const limits = new Meters({ rate, quota: () => Promise.reject(new Error('no quota')) }, { monotonic, wall: monotonic });
  return { limits, wishes, clock };
}

const granting = ({ wanted, waiting }: RateWish): Promise<RateLease> => Promise.resolve({ tokens: Math.max(wanted, waiting), slice: 1, freeInMs: 0 });

const meterOf = (limits: Meters, agent = 'a'): Meter => limits.of(`g:${agent}`, { kind: 'rate', ...limit });
const passes = async (limits: Meters, agent = 'a'): Promise<boolean> => (await meterOf(limits, agent).take()) === 0;

test('a call waits for nothing while its node has tokens, and leases grow up to a twentieth of the limit', async () => {
  const { limits, wishes } = setUp(granting);
  let waited = 0;
  for (let calls = 0; calls < 50; calls += 1) {
    const taken = meterOf(limits).take();
    if (taken === 0) continue;
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
  expect(await meterOf(limits).take()).toBe(700);
  clock.now += 701;
  await passes(limits);
  expect(wishes).toHaveLength(2);
});

test('what is counted under another name has the limit to itself', async () => {
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

test('an answer that is lost concerns the limit it was for; only where several are lost in a row is none waited for', async () => {
  let isLost = (wish: RateWish): boolean => wish.key === 'g:lost';
  const { limits, wishes, clock } = setUp((wish) => (isLost(wish) ? Promise.reject(new Error('lost')) : granting(wish)));
  const asked = async (agent: string): Promise<number> => {
    const before = wishes.length;
    expect(await passes(limits, agent)).toBe(true);
    return wishes.length - before;
  };
  for (let round = 0; round < 5; round += 1) {
    expect([await asked('lost'), await asked('lost')]).toEqual([1, 0]); // by its own count
    expect(await asked(`there-${String(round)}`)).toBe(1);
    clock.now += 5001;
  }
  isLost = () => true;
  expect([await asked('one'), await asked('two'), await asked('three'), await asked('four'), await asked('five')]).toEqual([1, 1, 1, 0, 0]);
  clock.now += 5001;
  isLost = () => false;
  expect([await asked('one'), await asked('four')]).toEqual([1, 1]);
});

test('tokens that are always too late do not hold a call up for ever', async () => {
  const { limits, clock } = setUp(async (wish) => {
    clock.now += 2000;
    return granting(wish);
  });
  expect(await passes(limits)).toBe(true);
});

test('a token that was not used is given back to its lease, and no more than were taken of it', async () => {
  const { limits, wishes, clock } = setUp(granting);
  const meter = meterOf(limits);
  await meter.take();
  await meter.take();
  for (let back = 0; back < 5; back += 1) meter.putBack();
  expect([meter.take(), meter.take()]).toEqual([0, 0]);
  expect(wishes).toHaveLength(1);
  meter.putBack();
  clock.now += 1000; // its time is over: it stays counted
  meter.putBack();
  await meter.take();
  expect(wishes[1]?.unused.tokens).toBe(1);
});

describe('a quota', () => {
  const midnight = Date.UTC(2026, 10, 23);
  const daily = { kind: 'quota', calls: 100, per: 'day' } as const;

  function quotas() {
    const clock = { now: midnight - 60_000, used: new Map<string, number>(), isThere: true };
    const wishes: QuotaWish[] = [];
    const quota = (wish: QuotaWish): Promise<{ tokens: number; used: number }> => {
      if (!clock.isThere) return Promise.reject(new Error('gone'));
      wishes.push(wish);
      const before = Math.max(clock.used.get(wish.period) ?? 0, wish.seen) + wish.owed;
      const tokens = Math.max(0, Math.min(wish.calls - before, Math.max(wish.wanted, wish.waiting)));
      clock.used.set(wish.period, before + tokens);
      return Promise.resolve({ tokens, used: before + tokens });
    };
    const wall = (): number => clock.now;
    const meters = new Meters({ quota, rate: () => Promise.reject(new Error('no rate')) }, { monotonic: wall, wall });
    return { meter: meters.of('q', daily), clock, wishes };
  }
  async function passing(meter: Meter, most = 1000): Promise<number> {
    let passed = 0;
    while (passed < most && (await meter.take()) === 0) passed += 1;
    return passed;
  }

  test('is for its day: not one call more passes before midnight, and all of it again after', async () => {
    const { meter, clock, wishes } = quotas();
    expect(await passing(meter)).toBe(100);
    expect(await meter.take()).toBe(60_000);
    const asked = wishes.length;
    await meter.take();
    expect(wishes).toHaveLength(asked);
    clock.now = midnight;
    expect(await passing(meter)).toBe(100);
    expect([...clock.used]).toEqual([
      ['2026-11-22', 100],
      ['2026-11-23', 100],
    ]);
  });

  test('without the shared count goes on from what was used, and has that counted later', async () => {
    const { meter, clock } = quotas();
    await passing(meter, 20);
    const leased = clock.used.get('2026-11-22') ?? 0;
    clock.isThere = false;
    expect(await passing(meter)).toBe(80);
    clock.isThere = true;
    clock.now += 5001;
    expect(await meter.take()).toBe(midnight - clock.now);
    expect(leased).toBeLessThanOrEqual(100);
    expect(clock.used.get('2026-11-22')).toBe(100);
  });

  test('goes on from what nodes have seen where the count was lost', async () => {
    const { meter, clock } = quotas();
    await passing(meter, 50);
    const leased = clock.used.get('2026-11-22') ?? 0;
    clock.used.clear();
    expect(await passing(meter)).toBe(50);
    expect(leased).toBeGreaterThanOrEqual(50);
  });
});

test('a clock that was a month ahead counts in this month again when it is set right, and goes on where it was', async () => {
  const [june, july] = [Date.UTC(2026, 5, 10), Date.UTC(2026, 6, 10)];
  const clock = { wall: june, monotonic: 0 };
  const periods: string[] = [];
  const quota = ({ period }: QuotaWish): Promise<{ tokens: number; used: number }> => {
    periods.push(period);
    return Promise.resolve({ tokens: 1, used: 1 });
  };
  const noRate = (): Promise<RateLease> => Promise.reject(new Error('no rate'));
  const meters = new Meters({ rate: noRate, quota }, { monotonic: () => clock.monotonic, wall: () => clock.wall });
  const take = async (): Promise<void> => expect(await meters.of('q', { kind: 'quota', calls: 20, per: 'month' }).take()).toBe(0);
  for (const wall of [june, july, june, june - 1000]) {
    clock.wall = wall;
    await take();
  }
  expect(periods).toEqual(['2026-06', '2026-07', '2026-06', '2026-06']);
});
