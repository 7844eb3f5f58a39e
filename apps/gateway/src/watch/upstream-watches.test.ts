import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pool } from 'undici';
import { aSnapshot } from '../testing/build-gateway.js';
import { changingCapabilities, startModernChangingServer, type ChangingServer } from '../testing/changing-servers.js';
import { aServer } from '../testing/policy-builders.js';
import { Upstreams } from '../upstream/upstreams.js';
import { UpstreamWatches } from './upstream-watches.js';

const capabilitiesJson = JSON.stringify(changingCapabilities);
let server: ChangingServer;
let watches: UpstreamWatches | undefined;

beforeEach(async () => {
  server = await startModernChangingServer();
});
afterEach(async () => {
  watches?.close();
  await server.close();
});

function watching(of: ReturnType<typeof aServer>, lingerMs: number): { watches: UpstreamWatches; live: { snapshot: ReturnType<typeof aSnapshot> } } {
  const live = { snapshot: aSnapshot({ servers: [of] }) };
  const upstreams = new Upstreams((origin, { connections, keepAliveTimeout }) => new Pool(origin, { connections, keepAliveTimeout }));
  watches = new UpstreamWatches({
    clientInfo: { name: 'test', version: '1' },
    policy: { current: () => live.snapshot },
    openApart: (entry) => upstreams.openApart(entry),
    onLists: () => undefined,
    onUpdated: () => undefined,
    onReopened: () => undefined,
    lingerMs,
  });
  return { watches, live };
}

test('a thousand who want one server make one stream, which ends when none of them does', async () => {
  const notes = aServer('notes', [], { url: server.url, era: 'modern', capabilitiesJson });
  const { watches: own } = watching(notes, 50);
  for (let at = 0; at < 1000; at += 1) own.wantServer(notes.id, true);
  await vi.waitFor(() => expect(server.streams()).toBe(1), 10_000);
  for (let at = 0; at < 999; at += 1) own.wantServer(notes.id, false);
  expect(own.size).toBe(1);
  own.wantServer(notes.id, false);
  await vi.waitFor(() => expect([own.size, server.streams()]).toEqual([0, 0]), 10_000);
});

test('one who comes back before the server was let go finds it still listened to', async () => {
  const notes = aServer('notes', [], { url: server.url, era: 'modern', capabilitiesJson });
  const { watches: own } = watching(notes, 60_000);
  own.wantResource(notes.id, 'notes://one', true);
  await vi.waitFor(() => expect(server.subscribed()).toEqual(['notes://one']), 10_000);
  own.wantResource(notes.id, 'notes://one', false);
  own.wantResource(notes.id, 'notes://two', true);
  await vi.waitFor(() => expect(server.subscribed()).toEqual(['notes://two']), 10_000);
  expect(own.size).toBe(1);
});

test('a server that declares nothing of the kind, or is disabled, is not listened to; one that is disabled later no longer', async () => {
  const quiet = aServer('quiet', [], { url: server.url, era: 'modern' });
  expect(begin(quiet).size).toBe(0);
  expect(begin({ ...quiet, capabilitiesJson, enabled: false }).size).toBe(0);
  const notes = { ...quiet, capabilitiesJson };
  const { watches: own, live } = watching(notes, 60_000);
  own.wantServer(notes.id, true);
  await vi.waitFor(() => expect(server.streams()).toBe(1), 10_000);
  live.snapshot = { ...aSnapshot({ servers: [{ ...notes, enabled: false }] }) };
  own.policyApplied({ ...live.snapshot, changed: { ...live.snapshot.changed, serverIds: new Set([notes.id]) } });
  await vi.waitFor(() => expect([own.size, server.streams()]).toEqual([0, 0]), 10_000);
});

const tls = { id: '01890a5d-ac96-774b-bcce-b302099a8057', version: 1, ca: 'one' };

test.each([
  ['another certificate', { tls: { ...tls, version: 2 } }],
  ['a pinned transport', { transport: 'streamable-http' as const, tls }],
])('a server that is reached by %s is listened to anew, since a watch keeps what it began with', async (_what, change) => {
  const notes = aServer('notes', [], { url: server.url, era: 'modern', capabilitiesJson, tls });
  const opened: unknown[] = [];
  const live = { snapshot: aSnapshot({ servers: [notes] }) };
  const upstreams = new Upstreams((origin, { connections, keepAliveTimeout }) => new Pool(origin, { connections, keepAliveTimeout }));
  const openApart = (entry: typeof notes) => {
    opened.push(entry);
    return upstreams.openApart(entry);
  };
  const quiet = () => undefined;
  watches = new UpstreamWatches({
    clientInfo: { name: 'test', version: '1' },
    policy: { current: () => live.snapshot },
    openApart,
    onLists: quiet,
    onUpdated: quiet,
    onReopened: quiet,
  });
  watches.wantServer(notes.id, true);
  const moved = { ...notes, ...change };
  live.snapshot = aSnapshot({ servers: [moved] });
  watches.policyApplied({ ...live.snapshot, changed: { ...live.snapshot.changed, serverIds: new Set([notes.id]) } });
  expect(opened).toEqual([notes, moved]);
});

function begin(of: ReturnType<typeof aServer>): UpstreamWatches {
  const { watches: own } = watching(of, 50);
  own.wantServer(of.id, true);
  return own;
}
