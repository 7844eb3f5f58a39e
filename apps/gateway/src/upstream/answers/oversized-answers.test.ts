import { expect, test } from 'vitest';
import { BORNE_BYTES, FORGOTTEN_BYTES, OversizedAnswers } from './oversized-answers.js';

const MIB = 1024 * 1024;
const suspended = 'upstream.suspended';

test('an agent whose answers keep being too long is refused after a few, nobody else is, and it is let in again', () => {
  const clock = { now: 0 };
  const answers = new OversizedAnswers(() => clock.now);
  for (let times = 0; times < 3; times += 1) {
    expect(() => answers.requireFew('a')).not.toThrow();
    answers.add('a', 10 * MIB);
  }
  expect(() => answers.requireFew('a')).toThrow(suspended);
  expect(() => answers.requireFew('b')).not.toThrow();
  clock.now += (1000 * (30 * MIB - BORNE_BYTES)) / FORGOTTEN_BYTES;
  expect(() => answers.requireFew('a')).not.toThrow();
});

test('however much was read at once, it is over within half a minute', () => {
  const clock = { now: 0 };
  const answers = new OversizedAnswers(() => clock.now);
  for (let times = 0; times < 100; times += 1) answers.add('a', 10 * MIB);
  expect(() => answers.requireFew('a')).toThrow(suspended);
  clock.now += 30_000;
  expect(() => answers.requireFew('a')).not.toThrow();
});

test('an answer that was refused by what it announced cost nothing, and counts for nothing', () => {
  const answers = new OversizedAnswers(() => 0);
  for (let times = 0; times < 100; times += 1) answers.add('a', 0);
  expect(() => answers.requireFew('a')).not.toThrow();
});
