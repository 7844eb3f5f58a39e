import { expect, test } from 'vitest';
import { rawTool } from '../testing/mcp-peers.js';
import { collectList } from './collect-list.js';

const pages: Record<string, string> = {
  first: `{"result":{"tools":[${rawTool('a')}],"nextCursor":""}}`,
  second: `{"result":{"tools":[${rawTool('b')}]}}`,
};

test.each([
  [true, ['a', 'b']],
  [false, ['a']],
])('an empty cursor leads on in the modern era and ends a list of the older one (modern: %s)', async (isModern, expected) => {
  const readPage = (cursor: string | undefined) => Promise.resolve(cursor === undefined ? pages['first'] : pages['second']);
  const { definitions, problems } = await collectList('tool', 'tools', readPage, isModern);
  expect(definitions.map(({ name }) => name)).toEqual(expected);
  expect(problems).toEqual([]);
});
