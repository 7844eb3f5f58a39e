import { dirname, relative } from 'node:path';
import { expect, test } from 'vitest';
import { projects, resolveRelative } from './workspace.js';

// A room is a folder of the gateway's sources; what lies beside them composes a node and the path of a call from what they hold.
const sources = 'apps/gateway/src';
const roomOf = (path: string): string => relative(sources, dirname(path)).split('/')[0] ?? '';

const arrows = projects
  .flatMap((project) => project.files)
  .filter((file) => file.path.startsWith(sources) && !file.isTest)
  .flatMap((file) => file.imports.filter((one) => one.startsWith('.')).map((one) => ({ from: file.path, to: resolveRelative(file.path, one) })))
  .filter(({ from, to }) => roomOf(from) !== roomOf(to) && roomOf(from) !== '');

test('rooms of the gateway know each other one way only, by whatever way round', () => {
  const known = new Map<string, Set<string>>();
  for (const { from, to } of arrows) if (roomOf(to) !== '') known.set(roomOf(from), (known.get(roomOf(from)) ?? new Set()).add(roomOf(to)));
  // Taken out one after another, each room that knows none of those that are left.
  for (let left = -1; left !== known.size;) {
    left = known.size;
    for (const [room, others] of known) if (![...others].some((other) => known.has(other))) known.delete(room);
  }
  const isLeft = ({ from, to }: { from: string; to: string }): boolean => known.has(roomOf(from)) && known.has(roomOf(to));
  expect(arrows.filter(isLeft).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
});

test('of what composes the gateway its rooms know the shapes alone', () => {
  const shapes = ['config', 'gateway', 'step', 'visit'].map((name) => `${sources}/${name}.ts`);
  const others = arrows.filter(({ to }) => roomOf(to) === '' && !shapes.includes(to));
  expect(others.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
});
