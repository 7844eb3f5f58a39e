import { expect, test } from 'vitest';
import { IDLE_MS, ServersInUse } from './servers-in-use.js';

test('a server is listened to from its first call until a while after its last, and again from the next', () => {
  const usage = new Map<string, number>();
  const wanted: string[] = [];
  let now = 0;
  const inUse = new ServersInUse({ usage: () => usage, want: (id, isWanted) => wanted.push(`${isWanted ? '+' : '-'}${id}`), now: () => now });
  const lookAt = (time: number): string[] => {
    now = time;
    inUse.look();
    return wanted.splice(0);
  };
  usage.set('a', 0);
  expect(lookAt(0)).toEqual([]);
  usage.set('a', 3);
  usage.set('b', 1);
  expect(lookAt(1000)).toEqual(['+a', '+b']);
  usage.set('a', 4);
  expect(lookAt(IDLE_MS)).toEqual([]);
  expect(lookAt(IDLE_MS + 1000)).toEqual(['-b']);
  expect(lookAt(IDLE_MS + 2000)).toEqual([]);
  usage.set('b', 2);
  expect(lookAt(IDLE_MS + 3000)).toEqual(['+b']);
  expect(lookAt(2 * IDLE_MS)).toEqual(['-a']);
  // Connections made anew count from the beginning.
  usage.set('b', 1);
  expect(lookAt(2 * IDLE_MS + 1000)).toEqual([]);
  expect(lookAt(2 * IDLE_MS + 3000)).toEqual([]);
});
