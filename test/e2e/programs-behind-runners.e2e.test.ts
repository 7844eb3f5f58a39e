import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectLegacy, namesSeenBy } from './agent-clients.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';

const stack = demoStack();
const admin = apiOf(stack);
const require = createRequire(import.meta.url);
const SOON = { timeout: 30_000, interval: 100 };
const agent = freshSlug('programs');
const scratch: string[] = [];
let key = '';

beforeAll(async () => {
  await admin.agents.create({ slug: agent });
  key = (await admin.agents.createKey(agent, {})).value.key;
});
afterAll(() => Promise.all(scratch.map((folder) => rm(folder, { recursive: true, force: true }))));

async function folder(): Promise<string> {
  const made = await realpath(await mkdtemp(join(tmpdir(), 'portcullis-programs-')));
  scratch.push(made);
  await chmod(made, 0o777); // children may have a user of their own
  return made;
}

/** One of npm's official servers, registered by REST, approved, granted, and known to nodes at its place. */
async function host(name: string, rest: { args?: string[]; environment?: Record<string, { value: string }> }): Promise<string> {
  const slug = freshSlug(name);
  const file = await realpath(join(dirname(require.resolve(`@modelcontextprotocol/server-${name}/package.json`)), 'dist/index.js'));
  const program = { kind: 'executable' as const, path: await realpath(process.execPath) };
  const profile = { program, args: [file, ...(rest.args ?? [])], environment: rest.environment ?? {} };
  await admin.servers.create({ slug, transport: 'stdio', profile, approve: 'all' });
  const { hash } = await admin.profiles.read(slug, 1);
  await admin.profiles.approve(slug, 1, { hash, reason: 'looked through' });
  await admin.grants.create({ agent, server: slug, names: ['*'] });
  await vi.waitFor(async () => expect((await admin.servers.read(slug)).definitions.approved).toBeGreaterThan(0), SOON);
  return slug;
}

const connect = (node = 0) => connectLegacy({ url: `${stack.gatewayUrls[node]}/mcp`, key });
const textOf = (result: unknown): string => (result as { content: [{ text: string }] }).content[0].text;

test('programs that speak over stdio are listed and called through every node, and no node starts one', async () => {
  const shared = await folder();
  await writeFile(join(shared, 'hello.txt'), 'hello from a file');
  const files = await host('filesystem', { args: [shared] });
  const memory = await host('memory', { environment: { MEMORY_FILE_PATH: { value: join(shared, 'memory.jsonl') } } });
  const [one, two] = await Promise.all([connect(0), connect(1)]);
  const wanted = [`${files}__read_text_file`, `${memory}__read_graph`];
  await vi.waitFor(async () => expect(await namesSeenBy(two)).toEqual(expect.arrayContaining(wanted)), SOON);
  const read = { name: `${files}__read_text_file`, arguments: { path: join(shared, 'hello.txt') } };
  for (const client of [one, two]) expect(textOf(await client.callTool(read))).toBe('hello from a file');
  const entities = [{ name: 'Ada', entityType: 'person', observations: ['wrote programs'] }];
  await one.callTool({ name: `${memory}__create_entities`, arguments: { entities } });
  expect(textOf(await two.callTool({ name: `${memory}__read_graph`, arguments: {} }))).toContain('wrote programs');
  await Promise.all([one.close(), two.close()]);
  expect((await admin.servers.read(files)).hosting).toMatchObject({ runner: { name: 'runner-1', live: true }, child: { state: 'running' } });
});

test('what a runner hosted that was killed is served by another', async () => {
  const { token } = await admin.runners.createJoinToken();
  const dataDir = await folder();
  const env = {
    ...process.env,
    RUNNER_NAME: freshSlug('runner'),
    CAPACITY: '100000', // the one with the most room gets what comes next
    PORT: '0',
    HEALTH_PORT: '0',
    DATA_DIR: dataDir,
    CONTROL_PLANE_URL: stack.controlPlaneUrl,
    JOIN_TOKEN: token,
    SERVER_UID_FIRST: '70000',
  };
  const second = spawn(process.execPath, [fileURLToPath(new URL('../../apps/runner/dist/main.js', import.meta.url))], { env, stdio: 'ignore' });
  const hostOf = async (slug: string) => (await admin.servers.read(slug)).hosting?.runner?.name;
  try {
    const live = async (): Promise<boolean> => (await admin.runners.list.page({})).items.some((one) => one.name === env.RUNNER_NAME && one.live);
    await vi.waitFor(async () => expect(await live()).toBe(true), SOON);
    const shared = await folder();
    await writeFile(join(shared, 'hello.txt'), 'hello again');
    const files = await host('filesystem', { args: [shared] });
    expect(await hostOf(files)).toBe(env.RUNNER_NAME);
    const client = await connect();
    const read = { name: `${files}__read_text_file`, arguments: { path: join(shared, 'hello.txt') } };
    await vi.waitFor(async () => expect(await namesSeenBy(client)).toContain(read.name), SOON);
    expect(textOf(await client.callTool(read))).toBe('hello again');
    second.kill('SIGKILL');
    await vi.waitFor(async () => expect(await hostOf(files)).toBe('runner-1'), SOON);
    await vi.waitFor(async () => expect(textOf(await client.callTool(read))).toBe('hello again'), SOON);
    await client.close();
  } finally {
    if (second.exitCode === null && second.signalCode === null && second.kill('SIGKILL')) await once(second, 'exit');
  }
});
