import { afterEach, expect, test, vi } from 'vitest';
import { BackgroundLoop } from './background-loop.js';

const warn = vi.fn<(what: unknown) => void>();
afterEach(() => warn.mockClear());

test('a failure is told of once, and again when it is another or comes back', async () => {
  const outcomes = ['a', 'a', 'b', undefined, 'b'];
  let turns = 0;
  const loop = new BackgroundLoop(
    { warn },
    {
      everyMs: 1,
      complaint: 'It lags',
      turn: async () => {
        const outcome = outcomes[turns];
        turns += 1;
        if (outcome !== undefined) throw new Error(outcome);
      },
    },
  );
  loop.start();
  await vi.waitFor(() => expect(turns).toBeGreaterThan(outcomes.length), 20_000);
  await loop.stop();
  expect(warn.mock.calls.map(([what]) => (what as { error: string }).error)).toEqual(['a', 'b', 'b']);
});

test('a turn that leaves more to do is followed at once, and stopping waits for the one that is under way', async () => {
  let turns = 0;
  let isOver = false;
  const loop = new BackgroundLoop(
    { warn },
    {
      everyMs: 3_600_000,
      complaint: '',
      turn: async () => {
        turns += 1;
        await new Promise((resolve) => setImmediate(resolve));
        isOver = turns === 3;
        return turns < 3;
      },
    },
  );
  loop.start();
  await vi.waitFor(() => expect(turns).toBe(3), 20_000);
  await loop.stop();
  expect(isOver).toBe(true);
});
