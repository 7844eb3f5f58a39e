import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { importFile } from '../testing/import-file.js';
import { registerWithTools } from '../testing/register-with-tools.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  for (const server of servers) await registerWithTools(own, server, { approved: ['read', 'write'] });
});
afterAll(() => own.close());

const servers = Array.from({ length: 5 }, (_, at) => `server-${at}`);
const agents = Array.from({ length: 400 }, (_, at) => `many-${at}`);
const usual = { version: 1, agents: Object.fromEntries(agents.map((slug) => [slug, {}])), groups: { all: { members: agents } } };
const grantOf = (at: number, more: object = {}) => ({
  agent: agents[at % agents.length],
  server: servers[at % 5],
  names: ['read', `n${at}`],
  ...more,
});
const grants = (more: (at: number) => object = () => ({})): object[] => Array.from({ length: 2200 }, (_, at) => grantOf(at, more(at)));
const send = async (file: object, query = '', token?: string) =>
  importFile(own, stringify({ version: 1, ...file }, { aliasDuplicateObjects: false }), query, token);
const changedOf = async (file: object, query?: string): Promise<readonly [number, number, number]> => {
  const { status, body } = await send(file, query);
  return [status, body.changed, body.diffTotal];
};

test('thousands of changes are told by a dry run, made in one revision, and made by a second import no more', async () => {
  const file = { ...usual, grants: grants((at) => (at % 50 === 0 ? { condition: `size(args) < ${at + 1}` } : {})) };
  expect(await changedOf(file, '?dryRun=true')).toEqual([200, 3001, 3001]);
  const { revision } = (await send({})).body;
  expect(await changedOf(file)).toEqual([200, 3001, 3001]);
  const again = (await send(file)).body;
  expect([again.changed, again.revision]).toEqual([0, revision + 1]);
  const [last] = (await own.call('GET', `/v1/grants?agent=${agents[399]}&limit=200`)).body.items;
  expect(last).toMatchObject({ subject: { agent: agents[399] }, server: servers[4], names: ['read', 'n399'] });
  const reverted = await own.call('POST', `/v1/revisions/${revision + 1}/revert`, { reason: 'not like this' });
  expect([reverted.status, (await own.call('GET', '/v1/agents')).body.items], reverted.text).toEqual([200, []]);
  expect(await changedOf(file)).toEqual([200, 3001, 3001]);
});

test('thousands of grants get other terms, and all that a file leaves out goes', async () => {
  const now = (await own.call('GET', '/v1/policy/export')).text;
  const changed = await importFile(own, now.replaceAll('- read\n', '- reads\n'));
  expect([changed.status, changed.body.changed]).toEqual([200, 2200]);
  expect(await changedOf({ agents: {}, groups: { all: {} }, grants: [] }, '?prune=true')).toEqual([200, 2200 + 400 + 400, 2200 + 400 + 400]);
  expect((await own.call('GET', '/v1/grants')).body.items).toEqual([]);
});

test('one fault among thousands refuses all of them and is named', async () => {
  const place = 400 + 400 + 1234;
  const faults = [
    { fault: { server: 'nowhere' }, status: 404, pointer: `/changes/${place}` },
    { fault: { condition: 'args.' }, status: 400, pointer: `/changes/${place}/condition` },
    { fault: { notBefore: '2040-01-01T00:00:00Z', expiresAt: '2030-01-01T00:00:00Z' }, status: 400, pointer: `/changes/${place}/expiresAt` },
  ];
  for (const { fault, status, pointer } of faults) {
    const file = { ...usual, grants: grants((at) => (at === 1234 ? fault : {})) };
    const refused = await send(file);
    expect([refused.status, refused.body.errors], refused.text).toEqual([status, [expect.objectContaining({ pointer })]]);
  }
  expect((await own.call('GET', '/v1/agents')).body.items).toEqual([]);
});

test('nobody widens an agent of their own by one grant among thousands', async () => {
  await own.call('POST', '/v1/operators', { name: 'Olga', role: 'admin' });
  const { token } = (await own.call('POST', '/v1/operators/Olga/tokens', {})).body;
  const file = { ...usual, agents: { ...usual.agents, [String(agents[7])]: { owner: 'olga' } }, grants: grants() };
  const refused = await send(file, '', token);
  expect([refused.status, refused.body.type], refused.text).toEqual([403, 'urn:portcullis:problem:self_widening']);
});
