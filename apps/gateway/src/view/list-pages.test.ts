import { createSealer } from '@portcullis/secrets';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aSnapshot } from '../testing/build-gateway.js';
import { aDefinition, aGrant, anAgent, aServer } from '../testing/policy-builders.js';
import { AgentViews } from './agent-views.js';
import { openCursor, sealCursor } from './cursor.js';
import { listPage, type Position } from './list-pages.js';

const sealer = createSealer({ current: { id: 'test', key: Buffer.alloc(32, 1) } });
const agent = anAgent('alice');
const place = { method: 'resources/list', agentId: agent.id, slug: null };
const now = 1_000_000;

/** All that an agent reads who goes on behind each page, and how often it asked. */
function walk(uris: readonly (readonly string[])[]): { read: string[]; pages: number } {
  // Few fit on a page.
  const servers = uris.map((own, at) =>
    aServer(
      `s${at}`,
      own.map((uri) => aDefinition('resource', uri, { uri, description: 'x'.repeat(300_000) })),
    ),
  );
  const live = aSnapshot({ servers, agents: [agent], grants: servers.map((server) => aGrant(agent, server, { kind: 'resources' })) });
  const view = new AgentViews(10).of(agent, null, { live, now });
  const read: string[] = [];
  let after: Position | undefined;
  for (let pages = 1; ; pages += 1) {
    const cursorFor = (position: Position): string => sealCursor(sealer, position, place);
    const page = listPage(view, { kind: 'resource', era: 'legacy', after, serverInfo: { name: 'portcullis', version: '1' }, cursorFor });
    const { resources, nextCursor } = JSON.parse(page.toString()) as { resources: { uri: string }[]; nextCursor?: string };
    read.push(...resources.map(({ uri }) => uri));
    if (nextCursor === undefined) return { read, pages };
    after = openCursor(sealer, nextCursor, place);
    expect(after).toBeDefined();
  }
}

test('whoever follows the cursors reads everything once, whatever servers call it', () => {
  const uri = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), fc.constantFrom('__proto__', 'a', 'A', 'a\uffff', 'a\u{10000}'));
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(uri, { maxLength: 6 }), { minLength: 1, maxLength: 3 }), (uris) => {
      expect(walk(uris).read.sort()).toEqual(uris.flat().sort());
    }),
    { numRuns: 10 },
  );
});

test('the longest address that a server may offer does not end a list for those who come behind it', () => {
  const long = ['a', 'b', 'c', 'd', 'e', 'f'].map((end) => '漢'.repeat(2047) + end);
  expect(walk([long, ['x']])).toEqual({ read: [...long, 'x'], pages: 3 });
});
