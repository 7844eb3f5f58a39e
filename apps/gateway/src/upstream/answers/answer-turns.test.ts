import { expect, test } from 'vitest';
import { AnswerTurns, TURN_BYTES, type LargeReader } from './answer-turns.js';

const PIECE = 64 * 1024;

/** Readers that always have more to read; `turn` lets one turn pass, and `read` says who read how many pieces. */
function stage(readers: Readonly<Record<string, string>>) {
  const due: (() => void)[] = [];
  const turns = new AnswerTurns((next) => due.push(next));
  const read: Record<string, number> = {};
  for (const [name, agentId] of Object.entries(readers)) {
    const readOn = (): void => {
      do read[name] = (read[name] ?? 0) + 1;
      while (turns.took(reader, PIECE));
    };
    const reader: LargeReader = { agentId, allowance: 0, readOn };
    readOn();
  }
  return { read, turn: () => due.splice(0).forEach((next) => next()) };
}

test('one turn brings in so many bytes of those who read, whatever lies ready', () => {
  const { read, turn } = stage({ one: 'a', two: 'b' });
  turn();
  expect(read).toEqual({ one: 1 + TURN_BYTES / PIECE / 2, two: 1 + TURN_BYTES / PIECE / 2 });
});

test('an agent that reads many answers has no more turns than one that reads a single one', () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`m${String(at)}`, 'greedy']));
  const { read, turn } = stage({ ...many, single: 'modest' });
  const before = { ...read };
  for (let turns = 0; turns < 100; turns += 1) turn();
  const gained = (name: string): number => (read[name] ?? 0) - (before[name] ?? 0);
  const greedy = Object.keys(many).reduce((sum, name) => sum + gained(name), 0);
  expect(gained('single')).toBe(greedy);
  expect(Math.min(...Object.keys(many).map(gained))).toBeGreaterThan(0);
});
