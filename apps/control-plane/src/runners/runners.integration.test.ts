import { RUNNER_HEARTBEAT_PATH, runnerEnvironmentAad, RUNNER_ENROL_PATH } from '@portcullis/contracts/runner/heartbeat';
import { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import { newNodeKeyPair, openWith, UnsealError } from '@portcullis/secrets';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { KeyRing } from '../keys/key-ring.js';
import { launchHash } from '../launch/require-launch.js';
import { serverEntry } from '../snapshots/compile-entries.js';
import { readServers } from '../snapshots/snapshot-rows.js';
import { aRunner } from '../testing/a-runner.js';
import { endRunners } from '../testing/end-runners.js';
import { policyOf } from '../testing/revertible-world.js';
import { newOperatorToken, startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';
import { markTold } from './hosting.repository.js';
import { openRunnerToken, runnerTokenHash } from './runner-tokens.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterEach(() => endRunners(own.database));
afterAll(() => own.close());

const SECRET = 'canary-of-a-program-5f1d';
const files = { program: { kind: 'npm', name: '@modelcontextprotocol/server-filesystem', version: '2026.8.31' }, args: ['/srv/files'] };
const withKey = { ...files, environment: { API_KEY: { secret: 'KEY' } } };

async function register(slug: string, profile: object = files): Promise<string> {
  const answer = await own.call('POST', '/v1/servers', { slug, transport: 'stdio', profile });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id;
}
async function approve(slug: string, version = 1): Promise<void> {
  const { hash } = (await own.call('GET', `/v1/servers/${slug}/profiles/${version}`)).body;
  const answer = await own.call('POST', `/v1/servers/${slug}/profiles/${version}/approve`, { hash, reason: 'looked through' });
  expect(answer.status, answer.text).toBe(200);
}
const importSettings = async (settings: object, token = own.admin): Promise<Answer> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await own.app.inject({ method: 'POST', url: '/v1/imports?source=mcp.json', headers, payload: JSON.stringify(settings) });
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload, body: answer.json() };
};
const placeOf = async (slug: string): Promise<string | undefined> => (await own.call('GET', `/v1/servers/${slug}`)).body.hosting.runner?.name;
const entryOf = async (id: string) => {
  const all = await own.database.$transaction((tx) =>
    readServers(
      tx,
      Array.from({ length: 1024 }, (_, bucket) => bucket),
    ),
  );
  const row = all.find((one) => one.id === id);
  return row && serverEntry(row);
};

test('a server of stdio runs where it was approved, what its runner is given opens for it alone, and nodes are told of the place when it knows', async () => {
  const runner = await aRunner(own, 'first');
  const id = await register('files', withKey);
  expect((await own.call('GET', '/v1/servers/files')).body).toMatchObject({
    url: 'stdio:files',
    transport: 'stdio',
    hosting: { profile: null, waiting: { version: 1 }, missingSecrets: ['KEY'], runner: null },
  });
  expect((await runner.beat()).assignments).toEqual([]);
  await approve('files');
  await vi.waitFor(async () => {
    const hosting = await own.database.hosting.findUnique({ where: { serverId: id } });
    expect([(await runner.beat()).assignments, hosting?.runnerId]).toEqual([[], runner.id]); // its secret is missing
  }, 20_000);
  expect(await entryOf(id)).toMatchObject({ url: 'stdio:files' });

  const credential = { kind: 'environment', variables: ['KEY', 'OTHER'].map((name) => ({ name, value: SECRET })) };
  expect((await own.call('POST', '/v1/credentials', { server: 'files', credential })).body).toMatchObject({ variables: ['KEY', 'OTHER'] });
  const { assignments, accessTokenHashes } = await runner.beat();
  const profile = LaunchProfile.parse(withKey);
  expect(assignments).toMatchObject([{ serverId: id, slug: 'files', profileHash: launchHash(profile), profile, generation: 0 }]);
  const sealed = assignments[0]?.sealedEnvironment ?? '';
  const opened = openWith(runner.privateKey, sealed, runnerEnvironmentAad(runner.id, id, launchHash(profile)));
  expect(JSON.parse(opened.toString())).toEqual({ KEY: SECRET });
  expect(() => openWith(newNodeKeyPair().privateKey, sealed, runnerEnvironmentAad(runner.id, id, launchHash(profile)))).toThrow(UnsealError);

  await vi.waitFor(async () => expect(await placeOf('files')).toBe('first'), 20_000);
  const entry = await entryOf(id);
  expect(entry).toMatchObject({ url: 'http://first.example:9300/servers/files/mcp', place: { runnerId: runner.id, version: 1 } });
  expect(entry).not.toHaveProperty('credentials');
  const row = await own.database.runner.findUniqueOrThrow({ where: { id: runner.id } });
  const token = openRunnerToken(own.app.get(KeyRing), row);
  expect(accessTokenHashes).toEqual([runnerTokenHash(token)]);

  const kept = [await own.database.runner.findMany(), await own.database.credential.findMany(), await own.database.launchProfileVersion.findMany()];
  const recorded = (await own.database.auditEvent.findMany()).map(({ arguments: bytes }) => Buffer.from(bytes ?? []).toString());
  for (const secret of [SECRET, token]) expect(JSON.stringify([kept, recorded, entry])).not.toContain(secret);
});

test('what a runner says of its children is shown to operators, with what its system does not keep them from', async () => {
  const runner = await aRunner(own, 'telling');
  const id = await register('told');
  await own.database.hosting.create({ data: { serverId: id, runnerId: runner.id, placeRunnerId: runner.id, discover: false } });
  const state = { state: 'quarantined', instances: 0, restarts: 5, junkLines: 3, lastError: 'It ended with 1.' } as const;
  const said = { serverId: id, profileHash: 'x', ...state };
  const servers = [said];
  await runner.beat({ servers, logs: [{ serverId: id, text: 'cannot read /srv' }] });
  await runner.beat({ servers: [{ ...said, state: 'failed' }] });
  expect((await own.call('GET', '/v1/servers/told')).body.next.join()).toMatch(/does not start .*It ended with 1.*\/v1\/servers\/told\/log/);
  await runner.beat({ servers });
  const { hosting, next } = (await own.call('GET', '/v1/servers/told')).body;
  expect(hosting).toMatchObject({ runner: { name: 'telling', live: true }, child: state });
  expect(hosting.sandboxGaps).toEqual(['Children reach the network whatever their profile says (no user namespaces).']);
  expect(next.join()).toContain('/v1/servers/told/restart');
  expect((await own.call('GET', `/v1/runners/${runner.id}`)).body).toMatchObject({ live: true, servers: [{ server: 'told', ...state }] });
  expect((await own.call('GET', '/v1/servers/told/log')).body).toMatchObject({ server: 'told', text: 'cannot read /srv' });
  await approve('told');
  expect((await own.call('POST', '/v1/servers/told/restart', { reason: 'fixed' })).status).toBe(204);
  expect((await runner.beat()).assignments).toMatchObject([{ slug: 'told', generation: 1 }]);
  await own.call('PATCH', '/v1/servers/told', { enabled: false });
  expect((await runner.beat()).assignments).toEqual([]);
});

test('a profile that is approved while its runner runs another is not taken for known there, and nor is one that it was not told', async () => {
  const runner = await aRunner(own, 'changing');
  const id = await register('changing');
  await approve('changing');
  await own.database.hosting.update({ where: { serverId: id }, data: { runnerId: runner.id, discover: false } });
  const isTold = async () => (await own.database.hosting.findUniqueOrThrow({ where: { serverId: id } })).toldAt !== null;
  const [before, after] = [launchHash(LaunchProfile.parse(files)), launchHash(LaunchProfile.parse({ ...files, args: ['/'] }))];
  await markTold(own.database, runner.id, [{ serverId: id, profileHash: after }]);
  expect(await isTold()).toBe(false);
  const says = (profileHash: string) => ({
    servers: [{ serverId: id, profileHash, state: 'idle' as const, instances: 0, restarts: 0, junkLines: 0, lastError: null }],
  });
  await own.call('POST', '/v1/servers/changing/profiles', { profile: { ...files, args: ['/'] } });
  await approve('changing', 2);
  expect((await runner.beat(says(before))).assignments).toMatchObject([{ profileHash: after }]);
  expect(await isTold()).toBe(false);
  await runner.beat(says(after));
  expect(await isTold()).toBe(true);
});

test('a secret that does not open keeps its own server from running, and none beside it', async () => {
  const runner = await aRunner(own, 'sealed');
  const ids = [await register('opens'), await register('shut', withKey)];
  await approve('opens');
  await approve('shut');
  const credential = { kind: 'environment', variables: [{ name: 'KEY', value: SECRET }] };
  await own.call('POST', '/v1/credentials', { server: 'shut', credential });
  await own.database.hosting.updateMany({ where: { serverId: { in: ids } }, data: { runnerId: runner.id } });
  const hosted = async () => (await runner.beat()).assignments.map(({ slug }) => slug).toSorted();
  expect(await hosted()).toEqual(['opens', 'shut']);
  const other = own.app.get(KeyRing).sealer().seal('{}', 'elsewhere');
  await own.database.credential.updateMany({ where: { serverId: ids[1] ?? '' }, data: { sealed: other } });
  expect(await hosted()).toEqual(['opens']);
});

test('what a runner hosted moves when it goes, stays where it is otherwise, and nobody but its runner speaks for it', async () => {
  const [one, two] = [await aRunner(own, 'one'), await aRunner(own, 'two')];
  const id = await register('moving');
  await Promise.all([one.beat(), two.beat()]);
  await approve('moving');
  const runners = { one, two };
  const settled = async (): Promise<string> =>
    vi.waitFor(async () => {
      await Promise.all([one, two].filter((runner) => gone !== runner).map((runner) => runner.beat()));
      const name = await placeOf('moving');
      expect(name).toBeDefined();
      expect(gone === undefined || runners[name as 'one'] !== gone).toBe(true);
      return name ?? '';
    }, 20_000);
  let gone: typeof one | undefined;
  const before = await settled();
  expect(await settled()).toBe(before);
  gone = runners[before as 'one'];
  await gone.beat({ leaving: true });
  expect((await gone.beat({ leaving: true })).assignments).toHaveLength(1); // calls that are at it, and nodes that have not heard
  const after = await settled();
  expect(after).toBe(before === 'one' ? 'two' : 'one');
  expect((await gone.beat({ leaving: true })).assignments).toEqual([]);
  await gone.beat({ logs: [{ serverId: id, text: 'forged' }] });
  expect((await own.call('GET', '/v1/servers/moving/log')).body.text).toBe('');

  const last = runners[after as 'one'];
  const revisions = (await own.database.revision.findMany({ where: { action: 'servers.placed' } })).length;
  expect((await own.call('DELETE', `/v1/runners/${last.id}`)).status).toBe(204);
  expect((await last.send()).status).toBe(401);
  expect(await entryOf(id)).toMatchObject({ url: 'stdio:moving' });
  gone = last;
  await settled();
  expect((await own.database.revision.findMany({ where: { action: 'servers.placed' } })).length).toBe(revisions + 1);
});

test('an operator moves a server to another runner, and nodes go where they went until that one knows of it', async () => {
  const [from, to] = [await aRunner(own, 'move-from'), await aRunner(own, 'move-to')];
  const id = await register('movable');
  await Promise.all([from.beat(), to.beat()]);
  const move = async (body: object): Promise<number> => (await own.call('POST', '/v1/servers/movable/move', body)).status;
  expect(await move({})).toBe(409); // nobody hosts it
  await approve('movable');
  await own.database.hosting.update({ where: { serverId: id }, data: { runnerId: from.id, discover: false } });
  const hosted = async (runner: typeof from) => (await runner.beat()).assignments.some(({ slug }) => slug === 'movable');
  expect(await hosted(from)).toBe(true);
  await vi.waitFor(async () => expect(await placeOf('movable')).toBe('move-from'), 20_000);
  expect([await move({ runner: 'nowhere' }), await move({ runner: 'move-from' })]).toEqual([404, 409]);
  await to.beat();
  expect(await move({ runner: 'move-to', reason: 'more room' })).toBe(204);
  expect([await hosted(from), await placeOf('movable')]).toEqual([true, 'move-from']);
  expect(await hosted(to)).toBe(true);
  await vi.waitFor(async () => expect(await placeOf('movable')).toBe('move-to'), 20_000);
  expect(await hosted(from)).toBe(false);
  const told = (await own.database.auditEvent.findMany({ where: { method: 'operator/server.moved' } })).map(({ arguments: bytes }) =>
    JSON.parse(Buffer.from(bytes ?? []).toString()),
  );
  expect(told).toMatchObject([{ change: { from: 'move-from', to: 'move-to', reason: 'more room' } }]);
  await Promise.all([from.beat(), to.beat()]);
  expect(await move({})).toBe(204); // to whoever has the most room
  expect((await own.database.hosting.findUniqueOrThrow({ where: { serverId: id } })).runnerId).not.toBe(to.id);
  await to.beat({ leaving: true });
  expect(await move({ runner: to.id })).toBe(409);
});

describe('nobody but who may approve decides what runs', () => {
  test('each kind of key and join token opens its own door alone', async () => {
    const forNodes = (await own.call('POST', '/v1/nodes/join-tokens', {})).body.token;
    const forRunners = (await own.call('POST', '/v1/runners/join-tokens', {})).body.token;
    const who = { name: 'x', sealingPublicKey: newNodeKeyPair().publicKey };
    expect((await own.call('POST', RUNNER_ENROL_PATH, who, forNodes)).status).toBe(401);
    expect((await own.call('POST', '/v1/node/enrol', who, forRunners)).status).toBe(401);
    const { nodeKey } = (await own.call('POST', '/v1/node/enrol', who, forNodes)).body;
    expect((await own.call('POST', RUNNER_HEARTBEAT_PATH, {}, nodeKey)).status).toBe(401);
    const { runnerKey } = (await own.call('POST', RUNNER_ENROL_PATH, who, forRunners)).body;
    for (const path of ['/v1/node/keys', '/v1/servers', '/v1/runners']) expect((await own.call('GET', path, undefined, runnerKey)).status).toBe(401);
  });

  test('A118: other roles neither make, change, import, approve nor reject one, by any route', async () => {
    await register('kept');
    const { id: address } = (await own.call('POST', '/v1/servers', { slug: 'address', url: 'https://mcp.example.com/mcp' })).body;
    const before = await policyOf(own);
    const profile = { ...files, args: ['/'] };
    const change = { server: 'address', change: { transport: 'stdio' } };
    for (const role of ['viewer', 'auditor', 'approver'] as const) {
      const token = await newOperatorToken(own.app, role);
      const attempts: [method: 'POST' | 'PATCH', path: string, body: object][] = [
        ['POST', '/v1/servers', { slug: 'mine', transport: 'stdio', profile }],
        ['PATCH', `/v1/servers/${address}`, { transport: 'stdio' }],
        ['POST', '/v1/servers/kept/profiles', { profile }],
        ['POST', '/v1/servers/kept/profiles/1/approve', { hash: launchHash(LaunchProfile.parse(files)) }],
        ['POST', '/v1/servers/kept/profiles/1/reject', {}],
        ['POST', '/v1/servers/kept/restart', {}],
        ['POST', '/v1/servers/kept/move', {}],
        ['POST', '/v1/credentials', { server: 'kept', credential: { kind: 'environment', variables: [{ name: 'A', value: 'b' }] } }],
        ['POST', '/v1/policy/apply', { changes: [{ do: 'server.update', ...change }], reason: 'mine' }],
        ['POST', '/v1/runners/join-tokens', {}],
      ];
      for (const [method, path, body] of attempts) expect([path, (await own.call(method, path, body, token)).status]).toEqual([path, 403]);
      expect((await importSettings({ mcpServers: { x: { command: '/bin/x' } } }, token)).status).toBe(403);
    }
    expect(await policyOf(own)).toEqual(before);
    expect(await own.database.launchProfileVersion.count({ where: { server: { slug: 'kept' }, state: 'pending' } })).toBe(1);
  });

  test('A117, A120: what is no absolute program or no exact version, and what a shell would read, is refused; arguments are one tuple with it', async () => {
    const executable = (path: string) => ({ program: { kind: 'executable', path } });
    const unfit = [
      executable('sh'),
      executable('/bin/sh'),
      executable('/usr/bin/env'),
      executable('./server'),
      executable('/srv/../bin/x'),
      executable('/bin/x\n/bin/y'),
      { ...files, program: { ...files.program, version: 'latest' } },
      { ...files, program: { ...files.program, version: '^1.0.0' } },
      { ...files, program: { ...files.program, name: 'https://evil.example/x.tgz' } },
      { ...files, args: ['a\0b'] },
      { ...files, workingFolder: 'here' },
      { ...files, environment: { LD_PRELOAD: { secret: 'KEY' } } },
      { ...files, environment: { 'A=B': { value: 'c' } } },
      { ...files, shell: true },
      { ...files, args: ['--api-key=abcdefgh'] },
      { ...files, args: ['--header', 'Authorization: Bearer abcdefgh'] },
      { ...files, args: ['postgresql://me:secret@db.example.com/all'] },
      { ...files, args: ['-e', 'API_KEY=abcdefgh'] },
      { ...files, environment: { HTTPS_PROXY: { value: 'http://me:secret@proxy.example.com' } } },
      { ...files, environment: { GITHUB_TOKEN: { value: 'ghp_abcdefghijklmnop' } } },
    ];
    for (const profile of unfit)
      expect([profile, (await own.call('POST', '/v1/servers', { slug: 'unfit', transport: 'stdio', profile })).status]).toEqual([profile, 400]);
    expect((await own.call('POST', '/v1/servers', { slug: 'unfit', transport: 'stdio', url: 'https://mcp.example.com/mcp' })).status).toBe(400);

    await register('tuple');
    const proposed = await own.call('POST', '/v1/servers/tuple/profiles', { profile: { ...files, args: ['/', '`id`; $(id)'] }, reason: 'more' });
    expect(proposed.body).toMatchObject({ version: 2, state: 'pending', profile: { args: ['/', '`id`; $(id)'] } });
    const first = (await own.call('GET', '/v1/servers/tuple/profiles/1')).body;
    expect(first.state).toBe('superseded');
    const approving = (version: number, hash: string) => own.call('POST', `/v1/servers/tuple/profiles/${version}/approve`, { hash });
    expect((await approving(1, first.hash)).status).toBe(409);
    expect((await approving(2, first.hash)).status).toBe(409);
    await approve('tuple', 2);
    expect((await own.call('GET', '/v1/profiles?server=tuple&state=approved')).body.items).toMatchObject([{ version: 2, decidedBy: 'admin' }]);
    expect((await own.call('POST', '/v1/servers/tuple/profiles/2/reject', {})).body.state).toBe('rejected');
  });

  test('a change waits while what was approved runs on, and an approval has no way back but another decision', async () => {
    const runner = await aRunner(own, 'steady');
    const id = await register('steady');
    await runner.beat();
    await approve('steady');
    const running = async (): Promise<unknown> => (await runner.beat()).assignments.find(({ slug }) => slug === 'steady')?.profile.args;
    await vi.waitFor(async () => expect(await running()).toEqual(['/srv/files']), 20_000);
    await own.call('POST', '/v1/servers/steady/profiles', { profile: { ...files, args: ['/'] } });
    expect(await running()).toEqual(['/srv/files']);
    const approval = await own.database.revision.findFirstOrThrow({ where: { action: 'profile.approved' }, orderBy: { revision: 'desc' } });
    const reverted = await own.call('POST', `/v1/revisions/${approval.revision}/revert`, { reason: 'back' });
    expect(reverted.body.type).toBe('urn:portcullis:problem:not_revertible');
    const deleted = await own.call('DELETE', '/v1/servers/steady');
    await own.call('POST', `/v1/revisions/${Number(deleted.headers['x-policy-revision'])}/revert`, { reason: 'back' });
    expect((await own.call('GET', '/v1/servers/steady')).body).toMatchObject({ id, transport: 'stdio', hosting: { profile: null, runner: null } });
    expect(await running()).toBeUndefined();
  });

  test('A119: a server that turns from an address to a program, or back, begins as another', async () => {
    const { id } = (await own.call('POST', '/v1/servers', { slug: 'turning', url: 'https://mcp.example.com/mcp' })).body;
    const json = Buffer.from('{}');
    const tool = { serverId: id, kind: 'tool' as const, name: 'read', json, hash: 'a'.repeat(64) };
    const approved = { state: 'approved' as const, approvedJson: json, approvedHash: 'a'.repeat(64) };
    await own.database.definition.create({ data: { ...tool, ...approved } });
    expect((await own.call('PATCH', '/v1/servers/turning', { transport: 'stdio', url: 'https://x.example.com' })).status).toBe(400);
    expect((await own.call('PATCH', '/v1/servers/turning', { transport: 'stdio' })).body).toMatchObject({ url: 'stdio:turning', era: null });
    expect(await own.database.definition.findMany({ where: { serverId: id } })).toMatchObject([{ state: 'removed', approvedHash: null }]);
    await own.call('POST', '/v1/servers/turning/profiles', { profile: files });
    await approve('turning');
    expect((await own.call('PATCH', '/v1/servers/turning', { transport: 'auto' })).status).toBe(400);
    expect((await own.call('PATCH', '/v1/servers/turning', { url: 'https://mcp.example.com/mcp' })).status).toBe(400);
    const back = await own.call('PATCH', '/v1/servers/turning', { transport: 'auto', url: 'https://mcp.example.com/mcp' });
    expect(back.body).toMatchObject({ url: 'https://mcp.example.com/mcp', hosting: null });
    expect((await own.call('POST', `/v1/revisions/${Number(back.headers['x-policy-revision'])}/revert`, { reason: 'back' })).status).toBe(200);
    expect((await own.call('GET', '/v1/servers/turning')).body).toMatchObject({ transport: 'stdio', hosting: { profile: null } });
  });
});

test('a client’s mcp.json becomes profiles that wait, its secrets a credential, and nothing of them is kept in clear', async () => {
  const entry = {
    command: 'npx',
    args: ['-y', '@scope/server@1.2.3', '--root', '/srv'],
    env: { API_TOKEN: SECRET, NODE_OPTIONS: '--max-old-space-size=100' },
  };
  const settings = {
    mcpServers: {
      pinned: entry,
      'by uvx': { command: 'uvx', args: ['--from', 'mcp-tools==0.4.1', 'mcp-server', '-v'], env: { KEY: '${input:key}' } },
      windows: { command: 'cmd', args: ['/c', 'npx', '-y', 'plain@2.0.0'] },
      'own program': { command: '/usr/local/bin/mcp', cwd: '/srv' },
      unpinned: { command: 'npx', args: ['-y', '@scope/server'] },
      newest: { command: 'uvx', args: ['mcp-tools@latest'] },
      relative: { command: 'node', args: ['server.js'] },
      telling: { command: '/usr/local/bin/mcp', args: ['--token', SECRET] },
      'signed in': { command: '/usr/local/bin/mcp', args: ['--header', `Authorization: Bearer ${SECRET}`] },
      database: { command: '/usr/local/bin/mcp', args: [`postgresql://me:${SECRET}@db.example.com/all`] },
      loading: { command: '/usr/local/bin/mcp', env: { GIT_TOKEN: SECRET } },
      through: { command: '/usr/local/bin/mcp', env: { HTTPS_PROXY: `http://me:${SECRET}@proxy.example.com` } },
      hostile: { command: 'npx', args: ['--node-options=--require=/tmp/x', 'plain@2.0.0'] },
    },
  };
  const send = () => importSettings(settings);
  const done = await send();
  expect(done.body, done.text).toMatchObject({ created: 4, failed: 9 });
  const rows = (await own.call('GET', `/v1/imports/${done.body.id}/rows`)).body.items;
  expect(rows.filter(({ state }: { state: string }) => state === 'failed').map(({ code }: { code: string }) => code)).toEqual([
    'version_not_pinned',
    'version_not_pinned',
    'command_not_absolute',
    'secret_in_arguments',
    'secret_in_arguments',
    'secret_in_arguments',
    'secret_in_variable',
    'secret_in_variable',
    'option_not_supported',
  ]);
  const profiles = (await own.call('GET', '/v1/profiles?state=pending&server=pinned')).body.items;
  expect(profiles).toMatchObject([
    {
      version: 1,
      profile: {
        program: { kind: 'npm', name: '@scope/server', version: '1.2.3' },
        args: ['--root', '/srv'],
        environment: { API_TOKEN: { secret: 'API_TOKEN' }, NODE_OPTIONS: { value: '--max-old-space-size=100' } },
      },
    },
  ]);
  expect((await own.call('GET', '/v1/profiles?state=pending&server=by-uvx')).body.items[0].profile).toMatchObject({
    program: { kind: 'uv', name: 'mcp-tools', version: '0.4.1', command: 'mcp-server' },
    args: ['-v'],
  });
  expect((await own.call('GET', '/v1/servers/by-uvx')).body.hosting).toMatchObject({ profile: null, missingSecrets: ['KEY'] });
  expect((await own.call('GET', '/v1/credentials?server=pinned')).body.items).toMatchObject([{ kind: 'environment', variables: ['API_TOKEN'] }]);
  const [kept] = await own.database.$queryRaw<{ all: string }[]>`
    SELECT concat((SELECT string_agg(t::text, '') FROM server t), (SELECT string_agg(t::text, '') FROM launch_profile t),
      (SELECT string_agg(t::text, '') FROM server_import_row t), (SELECT string_agg(t::text, '') FROM credential t),
      (SELECT string_agg(t::text, '') FROM revision t), (SELECT string_agg(t::text, '') FROM policy_row_change t)) AS all`;
  expect(kept?.all).not.toContain(SECRET);
  expect((await send()).body).toMatchObject({ created: 0, updated: 0, unchanged: 4, revision: null });
  settings.mcpServers.pinned = { ...entry, args: ['-y', '@scope/server@1.2.4'] };
  expect((await send()).body).toMatchObject({ created: 0, updated: 1 });
  expect((await own.call('GET', '/v1/profiles?state=pending&server=pinned')).body.items).toMatchObject([{ version: 2, profile: { args: [] } }]);
});
