import { bucketOf } from '@portcullis/contracts/snapshot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverEntry } from '../snapshots/compile-entries.js';
import { readServers } from '../snapshots/snapshot-rows.js';
import { serveSse, type Peer } from '../testing/mcp-peers.js';
import { startDiscovery, type Discovery } from '../testing/start-discovery.js';

let discovery: Discovery;
let peer: Peer;

beforeAll(async () => {
  discovery = await startDiscovery();
  peer = await serveSse();
});
afterAll(async () => {
  await peer.close();
  await discovery.close();
});

const call = (method: 'GET' | 'POST' | 'PATCH', path: string, body?: object) => discovery.own.call(method, path, body);
const discover = async () => (await call('POST', '/v1/servers/old/discovery?waitSeconds=30')).body.server;
const entryOf = async (id: string) => {
  const [row] = await discovery.own.database.$transaction((tx) => readServers(tx, [bucketOf(id)]));
  return row && serverEntry(row);
};

test('a pin decides how a server is reached, says where it is wrong, and comes back with the revision it was set in', async () => {
  const created = await call('POST', '/v1/servers', { slug: 'old', url: peer.url, transport: 'streamable-http' });
  expect(created.body).toMatchObject({ transport: 'streamable-http', transportPin: 'streamable-http' });
  expect((await discover()).discovery).toMatchObject({ status: 'failed', error: expect.stringContaining('pinned to streamable-http') });

  const pinned = await call('PATCH', '/v1/servers/old', { transport: 'sse' });
  expect(pinned.body).toMatchObject({ transport: 'sse', transportPin: 'sse' });
  expect(await entryOf(created.body.id)).toMatchObject({ transport: 'sse' }); // nodes follow the pin before discovery has seen anything
  expect(await discover()).toMatchObject({ era: 'legacy', transport: 'sse', discovery: { status: 'ok' } });

  const freed = await call('PATCH', '/v1/servers/old', { transport: 'auto' });
  expect(freed.body.transportPin).toBe('auto');
  expect(await discover()).toMatchObject({ transport: 'sse', discovery: { status: 'ok' } });
  const revision = Number(freed.headers['x-policy-revision']);
  expect((await call('POST', `/v1/revisions/${revision}/revert`, { reason: 'it was right' })).status).toBe(200);
  expect((await call('GET', '/v1/servers/old')).body).toMatchObject({ transport: 'sse', transportPin: 'sse' });
});

test('HTTP+SSE cannot be pinned together with the newer era', async () => {
  const url = 'https://x.example.com/mcp';
  const refused = await call('POST', '/v1/servers', { slug: 'never', url, protocol: 'modern', transport: 'sse' });
  expect(refused.status).toBe(400);
  expect(refused.body.errors[0].pointer).toBe('/transport');
  await call('POST', '/v1/servers', { slug: 'newer', url, protocol: 'modern' });
  expect((await call('PATCH', '/v1/servers/newer', { transport: 'sse' })).status).toBe(400);
  expect((await call('PATCH', '/v1/servers/newer', { transport: 'sse', protocol: 'auto' })).status).toBe(200);
});
