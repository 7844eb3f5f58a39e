import { expect, test } from 'vitest';
import { summarizeProfile } from './summarize-profile.mjs';

const root = new URL('../../', import.meta.url).href;
const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 0 });
const nodes = [
  { id: 1, callFrame: frame('(root)', ''), children: [2, 5] },
  { id: 2, callFrame: frame('serve', `${root}apps/gateway/dist/handle-mcp.js`), children: [3] },
  { id: 3, callFrame: frame('request', `${root}node_modules/undici/index.js`), children: [4] },
  { id: 4, callFrame: frame('writev', ''), children: [] },
  { id: 5, callFrame: frame('(idle)', ''), children: [] },
];

test("a profile's shares add up to the measured CPU, and idle time is nobody's", () => {
  const profile = { nodes, samples: [2, 3, 4, 4, 5, 5, 5], timeDeltas: [200, 200, 200, 200, 200, 200, 200] };
  const { owners, places } = summarizeProfile(profile, 80);
  expect(owners).toEqual([['serve · apps/gateway/dist/handle-mcp.js', 80]]);
  expect(new Map(places)).toEqual(
    new Map([
      ['native', 40],
      ['apps/gateway/dist', 20],
      ['undici', 20],
    ]),
  );
});

test('time in which the process was not run is blamed on nobody', () => {
  const profile = { nodes, samples: [2, 4], timeDeltas: [500, 90_000] };
  expect(summarizeProfile(profile, 10).places).toEqual([
    ['apps/gateway/dist', 5],
    ['native', 5],
  ]);
});
