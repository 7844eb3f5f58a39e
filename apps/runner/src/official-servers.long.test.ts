import { chmodSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { officialServer } from './testing/official-servers.js';
import { legacyClient, modernClient } from './testing/sdk-clients.js';
import { TestRunner } from './testing/test-runner.js';

let runner: TestRunner;
let folder = '';
beforeAll(async () => {
  runner = await TestRunner.start();
  folder = join(realpathSync(runner.folder), 'files');
  mkdirSync(folder);
  writeFileSync(join(folder, 'hello.txt'), 'hello from a file');
  chmodSync(folder, 0o777);
});
afterAll(() => runner.close());

const textOf = (result: unknown): string => (result as { content: [{ text: string }] }).content[0].text;

test('the official filesystem server lists and reads its folder, and nothing else', async () => {
  const client = await legacyClient(runner.assign('filesystem', officialServer('filesystem', [folder])));
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['read_text_file', 'list_directory', 'write_file']));
  expect(textOf(await client.callTool({ name: 'read_text_file', arguments: { path: join(folder, 'hello.txt') } }))).toBe('hello from a file');
  expect(textOf(await client.callTool({ name: 'list_directory', arguments: { path: folder } }))).toContain('hello.txt');
  expect((await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/passwd' } })).isError).toBe(true);
  await client.close();
});

test('the official memory server remembers, also over a restart of its child', async () => {
  const profile = officialServer('memory', [], { environment: { MEMORY_FILE_PATH: { value: join(folder, 'memory.jsonl') } } });
  const client = await legacyClient(runner.assign('memory', profile));
  const entities = [{ name: 'Ada', entityType: 'person', observations: ['wrote programs'] }];
  await client.callTool({ name: 'create_entities', arguments: { entities } });
  await client.close();
  const again = await legacyClient(runner.assign('memory', profile, { generation: 1 }));
  expect(textOf(await again.callTool({ name: 'read_graph', arguments: {} }))).toContain('wrote programs');
  await again.close();
});

test('the official server of everything lists, calls, tells of progress and is cancelled', async () => {
  const client = await modernClient(runner.assign('everything', officialServer('everything', ['stdio'])));
  const [{ tools }, { prompts }, { resources }] = await Promise.all([client.listTools(), client.listPrompts(), client.listResources()]);
  expect([tools.length, prompts.length, resources.length].every((count) => count > 0)).toBe(true);
  expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toContain('hi');
  const told: number[] = [];
  const call = { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } };
  await client.callTool(call, { onprogress: ({ progress }) => void told.push(progress) });
  expect(told).toEqual([1, 2, 3, 4]);
  const cancel = new AbortController();
  const cancelled = client.callTool({ ...call, arguments: { duration: 30, steps: 30 } }, { signal: cancel.signal }).catch(() => 'cancelled');
  setImmediate(() => cancel.abort());
  expect(await cancelled).toBe('cancelled');
  expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } }))).toContain('5');
  await client.close();
});

test('the official sequential-thinking server keeps each agent its own thoughts', async () => {
  const url = runner.assign('thinking', officialServer('sequential-thinking', [], { instances: { mode: 'per-agent', most: 4 } }));
  const [one, two] = await Promise.all([legacyClient(url, 'a'), legacyClient(url, 'b')]);
  const think = (client: typeof one, thoughtNumber: number) =>
    client.callTool({ name: 'sequentialthinking', arguments: { thought: 'so', thoughtNumber, totalThoughts: 3, nextThoughtNeeded: true } });
  await think(one, 1);
  expect(textOf(await think(one, 2))).toContain('"thoughtHistoryLength": 2');
  expect(textOf(await think(two, 1))).toContain('"thoughtHistoryLength": 1');
  await Promise.all([one.close(), two.close()]);
});

test('a server of the stateless era on the SDK is found to be one, and serves', async () => {
  const file = fileURLToPath(new URL('testing/modern-stdio-server.ts', import.meta.url));
  const url = runner.assign('modern', { program: { kind: 'executable', path: realpathSync(process.execPath) }, args: [file] });
  const [one, two] = await Promise.all([modernClient(url, 'a'), modernClient(url, 'b')]);
  expect(one.getNegotiatedProtocolVersion?.() ?? '2026-07-28').toBe('2026-07-28');
  expect(textOf(await one.callTool({ name: 'echo', arguments: { value: [1, 'two'] } }))).toBe('[1,"two"]');
  const told: number[] = [];
  await two.callTool({ name: 'count', arguments: {} }, { onprogress: ({ progress }) => void told.push(progress) });
  expect(told).toEqual([1, 2, 3]);
  const changed = vi.fn<() => void>();
  one.setNotificationHandler('notifications/tools/list_changed', changed);
  await one.listen({ toolsListChanged: true });
  await two.callTool({ name: 'change', arguments: {} });
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  const cancel = new AbortController();
  const waits = two.callTool({ name: 'wait', arguments: { name: 'w' } }, { signal: cancel.signal }).catch(() => 'cancelled');
  setTimeout(() => cancel.abort(), 50);
  expect(await waits).toBe('cancelled');
  await vi.waitFor(async () => expect(textOf(await two.callTool({ name: 'cancelled', arguments: {} }))).toBe('["w"]'));
  await expect(two.callTool({ name: 'crash', arguments: {} })).rejects.toThrow(/may have run/);
  expect(textOf(await two.callTool({ name: 'echo', arguments: { value: 'again' } }))).toBe('"again"');
  await Promise.all([one.close(), two.close()]);
});
