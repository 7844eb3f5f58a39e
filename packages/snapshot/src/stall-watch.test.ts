import { expect, test } from 'vitest';
import { StallWatch } from './stall-watch.js';

let now = 0;
const after = (ms: number): void => {
  now += ms;
};

test('what is read in time is not late', () => {
  const stalls = new StallWatch(() => now);
  for (let turns = 0; turns < 8; turns += 1) {
    after(400);
    stalls.turn();
    expect(stalls.lateMs()).toBe(0);
  }
});

test.each(['before', 'after'])('what is read where a process stood still may be as old as that, be it %s its next turn', (when) => {
  const stalls = new StallWatch(() => now);
  after(35_000);
  if (when === 'after') stalls.turn();
  expect(stalls.lateMs()).toBe(35_000);
  after(900);
  expect(stalls.lateMs()).toBe(35_900);
  after(101);
  expect(stalls.lateMs()).toBe(0);
});

test('a process that stands still again and again is late from the first time on', () => {
  const stalls = new StallWatch(() => now);
  after(2_000);
  expect(stalls.lateMs()).toBe(2_000);
  after(500);
  stalls.turn();
  after(400);
  stalls.turn();
  after(2_000);
  expect(stalls.lateMs()).toBe(2_000);
});
