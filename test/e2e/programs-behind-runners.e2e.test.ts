import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectLegacy, connectModern, namesSeenBy } from './agent-clients.js';
import { anotherRunner } from './another-runner.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { hostProgram, officialProgram, openFolder, programsWith, removeFolders, SOON, textOf } from './hosted-programs.js';

const stack = demoStack();
const admin = apiOf(stack);
const agent = freshSlug('programs');
const scratch: string[] = [];
let key = '';

beforeAll(async () => {
  await admin.agents.create({ slug: agent });
  key = (await admin.agents.createKey(agent, {})).value.key;
});
afterAll(() => removeFolders(scratch));

const connect = (node = 0) => connectLegacy({ url: `${stack.gatewayUrls[node]}/mcp`, key });
const host = async (name: string, rest: Parameters<typeof officialProgram>[1] = {}) =>
  hostProgram(admin, { word: name, agent }, await officialProgram(name, rest));
const folder = () => openFolder(scratch);

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

test('an official server tells of progress and is cancelled through a node; a crash in the middle of a call is said, and the next call works', async () => {
  const mark = freshSlug('mark');
  const slug = await host('everything', { args: ['stdio', mark] });
  const client = await connectModern({ url: `${stack.gatewayUrls[1]}/mcp`, key });
  await vi.waitFor(async () => expect(await namesSeenBy(client)).toContain(`${slug}__echo`), SOON);
  const long = { name: `${slug}__trigger-long-running-operation`, arguments: { duration: 0.4, steps: 4 } };
  const told: number[] = [];
  await client.callTool(long, { onprogress: ({ progress }) => void told.push(progress) });
  expect(told).toEqual([1, 2, 3, 4]);
  const endless = { ...long, arguments: { duration: 600, steps: 6000 } };
  const cancel = new AbortController();
  const cancelled = client.callTool(endless, { signal: cancel.signal, onprogress: () => cancel.abort() });
  await expect(cancelled).rejects.toThrow(/abort/i);
  const crash = (): void => programsWith(mark).forEach((pid) => process.kill(pid, 'SIGKILL'));
  await expect(client.callTool(endless, { onprogress: crash })).rejects.toThrow(/may have run/);
  expect(textOf(await client.callTool({ name: `${slug}__get-sum`, arguments: { a: 2, b: 3 } }))).toContain('5');
  expect((await admin.servers.read(slug)).hosting?.child?.state).not.toBe('quarantined');
  await client.close();
});

test('what a runner hosted that was killed is served by another', async () => {
  const second = await anotherRunner(admin, { controlPlaneUrl: stack.controlPlaneUrl, dataDir: await folder() });
  const hostOf = async (slug: string) => (await admin.servers.read(slug)).hosting?.runner?.name;
  try {
    const shared = await folder();
    await writeFile(join(shared, 'hello.txt'), 'hello again');
    const files = await host('filesystem', { args: [shared] });
    expect(await hostOf(files)).toBe(second.name);
    const client = await connect();
    const read = { name: `${files}__read_text_file`, arguments: { path: join(shared, 'hello.txt') } };
    await vi.waitFor(async () => expect(await namesSeenBy(client)).toContain(read.name), SOON);
    expect(textOf(await client.callTool(read))).toBe('hello again');
    second.process.kill('SIGKILL');
    await vi.waitFor(async () => expect(await hostOf(files)).toBe('runner-1'), SOON);
    await vi.waitFor(async () => expect(textOf(await client.callTool(read))).toBe('hello again'), SOON);
    await client.close();
  } finally {
    await second.end();
  }
});
