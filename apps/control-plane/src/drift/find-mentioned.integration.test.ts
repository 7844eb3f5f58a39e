import { expect, test } from 'vitest';
import { useDatabase } from '../testing/use-database.js';
import { findMentioned } from './drift.repository.js';

const own = useDatabase();

async function offering(slug: string, ...names: string[]): Promise<string> {
  const { id } = await own.database.server.create({ data: { slug, name: slug, url: `https://${slug}.example.com/mcp` } });
  const row = { serverId: id, kind: 'tool', state: 'approved', json: Buffer.from('{}'), hash: 'h', approvedHash: 'h' } as const;
  await own.database.definition.createMany({ data: names.map((name) => ({ ...row, name })) });
  return id;
}

test('of what a text mentions one tool each is found, however many are mentioned and however many servers have one', async () => {
  const [c] = [await offering('c', 'read_mail'), await offering('b', 'read_mail', 'send_mail'), await offering('a', 'read_mail')];
  const others = Array.from({ length: 40_000 }, (_, n) => ({ server: undefined, name: `other_${n}` }));
  const mentions = [
    { server: undefined, name: 'read_mail' },
    { server: 'b', name: 'read_mail' },
    { server: 'a', name: 'send_mail' },
    { server: 'c', name: 'read_mail' },
  ];
  const found = await findMentioned(own.database, [...mentions, ...others], c);
  expect(found.map(({ server, name }) => `${server}:${name}`).toSorted()).toEqual(['a:read_mail', 'b:read_mail']);
});
