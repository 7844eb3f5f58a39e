import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthority, tamperWith } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectLegacy, connectModern, namesSeenBy } from './agent-clients.js';
import { anotherRunner } from './another-runner.js';
import { auditRowsOf } from './audit-rows.js';
import { apiOf, freshSlug } from './demo-stack.js';
import { hostProgram, officialProgram, openFolder, programsWith, removeFolders, SOON, testProgram, textOf } from './hosted-programs.js';
import { type OwnStack, startOwnStack } from './own-stack.js';
import { sendMcp } from './raw-mcp.js';

const agent = freshSlug('duress');
const authority = makeAuthority('Runners');
const scratch: string[] = [];
let stack: OwnStack;
let api: ReturnType<typeof apiOf>;
let key: string;
let certificates: string;

beforeAll(async () => {
  certificates = await mkdtemp(join(tmpdir(), 'portcullis-certificates-'));
  scratch.push(certificates);
  await writeFile(join(certificates, 'authority.pem'), authority.cert);
  stack = await startOwnStack({ demo: false }, { NODE_EXTRA_CA_CERTS: join(certificates, 'authority.pem') });
  api = apiOf(stack);
  await api.agents.create({ slug: agent });
  key = (await api.agents.createKey(agent, {}, { wait: 'all' })).value.key;
});
afterAll(async () => {
  await stack.stop();
  await removeFolders(scratch);
  await rm(certificates, { recursive: true, force: true });
});

const at = (node: 0 | 1) => ({ url: `${stack.gatewayUrls[node]}/mcp`, key });
const host = (word: string, profile: Parameters<typeof hostProgram>[2]): Promise<string> => hostProgram(api, { word, agent }, profile);
const hostTest = async (word: string, rest: Parameters<typeof testProgram>[0] = {}): Promise<string> => host(word, await testProgram(rest));
const childOf = async (slug: string) => (await api.servers.read(slug)).hosting?.child;

interface Client {
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
  listTools(): Promise<{ tools: { name: string }[] }>;
}

/** Clients of both eras, each at a node of its own, that see these names. */
async function bothEras(...names: string[]): Promise<[Client, Client]> {
  const clients: [Client, Client] = [(await connectLegacy(at(0))) as Client, (await connectModern(at(1))) as Client];
  for (const client of clients) await vi.waitFor(async () => expect(await namesSeenBy(client)).toEqual(expect.arrayContaining(names)), SOON);
  return clients;
}
/** How calls of one tool ended, as auditors see it. */
const statusesOf = async (slug: string, tool: string): Promise<string[]> =>
  (await api.audit.events.page({ agent, server: slug, method: 'tools/call' })).items.flatMap((call) => (call.tool === tool ? [call.status] : []));
const valueOf = async (client: Client, name: string, args: Record<string, unknown> = {}): Promise<unknown> =>
  JSON.parse(textOf(await client.callTool({ name, arguments: args })));

test('the official servers are listed and called through both nodes, by clients of both eras', { timeout: 120_000 }, async () => {
  const folder = await openFolder(scratch);
  await writeFile(join(folder, 'hello.txt'), 'hello from a file');
  const files = await host('filesystem', await officialProgram('filesystem', { args: [folder] }));
  const environment = { MEMORY_FILE_PATH: { value: join(folder, 'memory.jsonl') } };
  const memory = await host('memory', await officialProgram('memory', { environment }));
  const thinking = await host('thinking', await officialProgram('sequential-thinking', { instances: { mode: 'per-agent', most: 4 } }));
  const everything = await host('everything', await officialProgram('everything', { args: ['stdio'] }));
  const names = [`${files}__read_text_file`, `${memory}__create_entities`, `${thinking}__sequentialthinking`, `${everything}__echo`];
  for (const [turn, client] of (await bothEras(...names)).entries()) {
    const read = { name: `${files}__read_text_file`, arguments: { path: join(folder, 'hello.txt') } };
    expect(textOf(await client.callTool(read))).toBe('hello from a file');
    const entities = [{ name: `Ada ${turn}`, entityType: 'person', observations: ['wrote programs'] }];
    await client.callTool({ name: `${memory}__create_entities`, arguments: { entities } });
    expect(textOf(await client.callTool({ name: `${memory}__read_graph`, arguments: {} }))).toContain(`Ada ${turn}`);
    const thought = { thought: 'so', thoughtNumber: turn + 1, totalThoughts: 3, nextThoughtNeeded: true };
    expect(textOf(await client.callTool({ name: `${thinking}__sequentialthinking`, arguments: thought }))).toContain('thoughtHistoryLength');
    expect(textOf(await client.callTool({ name: `${everything}__echo`, arguments: { message: 'hi' } }))).toContain('hi');
    await client.close();
  }
});

test('progress comes in order and a cancel reaches the program, in both eras', { timeout: 120_000 }, async () => {
  const slug = await hostTest('progress');
  const [legacy, modern] = [await connectLegacy(at(0)), await connectModern(at(1))];
  for (const client of [legacy, modern]) {
    await vi.waitFor(async () => expect(await namesSeenBy(client)).toContain(`${slug}__wait`), SOON);
    const told: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void told.push(progress);
    const call = { name: `${slug}__progress`, arguments: {} };
    if (client === legacy) await legacy.callTool(call, undefined, { onprogress });
    else await modern.callTool(call, { onprogress });
    expect(told).toEqual([1, 2, 3]);
    const cancel = new AbortController();
    const wait = { name: `${slug}__wait`, arguments: {} };
    const waits = client === legacy ? legacy.callTool(wait, undefined, { signal: cancel.signal }) : modern.callTool(wait, { signal: cancel.signal });
    waits.catch(() => undefined);
    const seen = async () => (await valueOf(client as Client, `${slug}__cancelled`)) as { cancelled: unknown[]; waiting: unknown[] };
    const before = (await seen()).waiting.length;
    await vi.waitFor(async () => expect((await seen()).waiting.length).toBeGreaterThanOrEqual(Math.max(before, 1)), SOON);
    cancel.abort();
    await expect(waits).rejects.toThrow(/abort|cancel/i);
    await vi.waitFor(async () => expect((await seen()).cancelled).toEqual((await seen()).waiting), SOON);
    await client.close();
  }
});

test(
  'a fork bomb and a memory hog are ended, calls at them say so, and calls of another server go on all the while',
  { timeout: 180_000 },
  async () => {
    const bomb = await hostTest('bomb', { limits: { processes: 10 } });
    const hog = await hostTest('hog', { limits: { memoryMib: 150 } });
    const other = await hostTest('bystander');
    const [one, two] = await bothEras(`${bomb}__fork`, `${hog}__memory`, `${other}__echo`);
    let isOver = false;
    let echoes = 0;
    const going = (async () => {
      for (; !isOver; echoes += 1) expect(await valueOf(two, `${other}__echo`, { echoes })).toEqual({ echoes });
    })();
    await one.callTool({ name: `${bomb}__fork`, arguments: {} });
    await vi.waitFor(async () => expect((await childOf(bomb))?.lastError).toMatch(/It had \d+ processes, of 10 allowed/), SOON);
    await expect(one.callTool({ name: `${hog}__memory`, arguments: {} })).rejects.toThrow(/may have run/);
    await vi.waitFor(async () => expect((await childOf(hog))?.lastError).toMatch(/It took \d+ MiB of memory, of 150 allowed/), SOON);
    for (const slug of [bomb, hog]) expect(await valueOf(one, `${slug}__echo`, { again: slug })).toEqual({ again: slug });
    isOver = true;
    await going;
    expect(echoes).toBeGreaterThan(10);
    await vi.waitFor(async () => expect(await childOf(other)).toMatchObject({ state: 'running', restarts: 0 }), SOON);
    await Promise.all([one.close(), two.close()]);
  },
);

test('a crash in the middle of calls is said to all of them, on record as failed, and the next call works', { timeout: 120_000 }, async () => {
  const slug = await hostTest('crash');
  const [one, two] = await bothEras(`${slug}__crash`);
  const waits = two.callTool({ name: `${slug}__wait`, arguments: {} });
  waits.catch(() => undefined);
  const seen = async () => (await valueOf(one, `${slug}__cancelled`)) as { waiting: unknown[] };
  await vi.waitFor(async () => expect((await seen()).waiting).toHaveLength(1), SOON);
  await expect(one.callTool({ name: `${slug}__crash`, arguments: {} })).rejects.toThrow(/may have run/);
  await expect(waits).rejects.toThrow(/may have run/);
  for (const client of [one, two]) expect(await valueOf(client, `${slug}__echo`, { again: 1 })).toEqual({ again: 1 });
  await vi.waitFor(async () => expect(await childOf(slug)).toMatchObject({ state: 'running', restarts: 1 }), SOON);
  await vi.waitFor(async () => expect(await statusesOf(slug, 'crash')).toEqual(['upstream_error']), SOON);
  await Promise.all([one.close(), two.close()]);
});

test(
  'F48: when the node of a call is killed its program is told within 5 s and serves others, and the call is on record without an end',
  { timeout: 120_000 },
  async () => {
    const slug = await hostTest('orphaned');
    const [lost, kept] = await bothEras(`${slug}__wait`);
    void sendMcp(at(0).url, { key, era: 'modern', method: 'tools/call', params: { name: `${slug}__wait`, arguments: {} } }).catch(() => undefined);
    const seen = async () => (await valueOf(kept, `${slug}__cancelled`)) as { cancelled: unknown[]; waiting: unknown[] };
    await vi.waitFor(async () => expect((await seen()).waiting).toHaveLength(1), SOON);
    const rows = async () => (await auditRowsOf(stack.databaseUrl, agent)).filter(({ server, tool }) => server === slug && tool === 'wait');
    await vi.waitFor(async () => expect(await rows()).toMatchObject([{ phase: 'intent' }]), SOON);
    process.kill(stack.pids['gateway-1'] ?? 0, 'SIGKILL');
    await vi.waitFor(
      async () => {
        const { cancelled, waiting } = await seen();
        expect(cancelled).toEqual(waiting);
      },
      { timeout: 5000, interval: 50 },
    );
    await vi.waitFor(async () => expect(await childOf(slug)).toMatchObject({ state: 'running', restarts: 0 }), SOON);
    // As it will be a while from now: nobody is left who could say how that call ended.
    await tamperWith(stack.databaseUrl, "UPDATE audit_event SET at = at - interval '20 minutes' WHERE agent = $1 AND tool = 'wait'", [agent]);
    expect(await statusesOf(slug, 'wait')).toEqual(['unknown']);
    await lost.close().catch(() => undefined);
    await kept.close();
  },
);

test('a runner with a certificate is reached by TLS, by nodes and by discovery', { timeout: 120_000 }, async () => {
  const { cert, key: privateKey } = authority.issue('127.0.0.1');
  const files = { TLS_CERT_FILE: join(certificates, 'cert.pem'), TLS_KEY_FILE: join(certificates, 'key.pem') };
  await writeFile(files.TLS_CERT_FILE, cert);
  await writeFile(files.TLS_KEY_FILE, privateKey);
  const runner = await anotherRunner(api, { controlPlaneUrl: stack.controlPlaneUrl, dataDir: await openFolder(scratch) }, files);
  try {
    const slug = await hostTest('encrypted');
    const { hosting } = await api.servers.read(slug);
    expect(hosting?.runner?.name).toBe(runner.name);
    expect((await api.runners.read(hosting?.runner?.id ?? '')).address).toMatch(/^https:/);
    const client = (await connectModern(at(1))) as Client;
    await vi.waitFor(async () => expect(await namesSeenBy(client)).toContain(`${slug}__echo`), SOON);
    expect(await valueOf(client, `${slug}__echo`, { secret: true })).toEqual({ secret: true });
    await client.close();
  } finally {
    await runner.end();
  }
});

test(
  'what is stopped for its processor time through both nodes answers whole, and the server says that it is slowed',
  { timeout: 120_000 },
  async () => {
    const mark = freshSlug('mark');
    const slug = await hostTest('spinning', { args: ['normal', mark], limits: { cpuPercent: 20 } });
    const [one, two] = await bothEras(`${slug}__spin`);
    expect(await valueOf(one, `${slug}__spin`)).toBe('spinning');
    await vi.waitFor(async () => expect(await childOf(slug)).toMatchObject({ throttled: true }), { timeout: 90_000, interval: 200 });
    for (const client of [one, two]) expect(await valueOf(client, `${slug}__echo`, { at: 1 })).toEqual({ at: 1 });
    expect((await api.servers.read(slug)).next.join()).toContain('is slowed');
    expect(programsWith(mark)).toHaveLength(1);
    await Promise.all([one.close(), two.close()]);
  },
);
