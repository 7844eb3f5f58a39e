import { expect, test } from 'vitest';
import { TokenError } from './token-error.js';
import { TokenSource, type UpstreamToken } from './token-source.js';

/** A source whose time the test moves, and whose tokens are numbered and live for a hundred seconds. */
function numbered(lifeMs: number | null = 100_000) {
  const clock = { now: 1_000_000 };
  const asked: (string | undefined)[] = [];
  let fault: Error | undefined;
  const source = new TokenSource(
    async (refused): Promise<UpstreamToken> => {
      asked.push(refused);
      await Promise.resolve();
      if (fault !== undefined) throw fault;
      return { accessToken: `t${asked.length}`, expiresAt: lifeMs === null ? undefined : clock.now + lifeMs };
    },
    () => clock.now,
  );
  return { source, clock, asked, fail: (error: Error | undefined) => (fault = error) };
}

test('a thousand that want a token at once have one asked for', async () => {
  const { source, asked } = numbered();
  const tokens = await Promise.all(Array.from({ length: 1000 }, () => source.get()));
  expect([new Set(tokens.map(({ accessToken }) => accessToken)).size, asked.length]).toEqual([1, 1]);
});

test('a token is asked for again before it ends, and nobody waits for that', async () => {
  const { source, clock, asked } = numbered();
  await source.get();
  clock.now += 89_000;
  expect([source.current()?.accessToken, asked.length]).toEqual(['t1', 1]);
  clock.now += 2000;
  expect([source.current()?.accessToken, asked.length]).toEqual(['t1', 2]);
  await source.get(true);
  expect(source.current()?.accessToken).toBe('t2');
});

test('a token that has ended is never given', async () => {
  const { source, clock, fail } = numbered();
  await source.get();
  fail(new TokenError('unavailable', 'gone'));
  clock.now += 100_001;
  expect(source.current()).toBeUndefined();
  await expect(source.get()).rejects.toThrow('gone');
});

test('while there is no token to be had the authorization server is spared, and asked again in time', async () => {
  const { source, clock, asked, fail } = numbered();
  fail(new TokenError('unavailable', 'down'));
  for (let call = 0; call < 50; call += 1) await expect(source.get()).rejects.toThrow('down');
  expect(asked.length).toBe(1);
  clock.now += 1001;
  await expect(source.get()).rejects.toThrow('down');
  clock.now += 1001;
  await expect(source.get()).rejects.toThrow('down');
  expect(asked.length).toBe(2); // it waits longer each time
  fail(undefined);
  clock.now += 1001;
  expect((await source.get()).accessToken).toBe('t3');
});

test('a refused token is renewed once, and a server that takes none does not have one asked for with every call', async () => {
  const { source, clock, asked } = numbered();
  await source.get();
  const renewed = await Promise.all([source.renew('t1'), source.renew('t1'), source.renew('t1')]);
  expect([renewed.map((token) => token?.accessToken), asked]).toEqual([
    ['t2', 't2', 't2'],
    [undefined, 't1'],
  ]);
  expect(await source.renew('t2')).toBeUndefined();
  clock.now += 10_001;
  expect((await source.renew('t2'))?.accessToken).toBe('t3');
});

test('a token of which nobody says when it ends is kept until it is refused', async () => {
  const { source, clock } = numbered(null);
  await source.get();
  clock.now += 10 ** 12;
  expect(source.current()).toBeDefined();
});
