import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { auditRowsOf, type AuditRow, boots } from './audit-rows.js';
import { apiOf, freshSlug } from './demo-stack.js';
import { type Ledger, startCrowd } from './ledger.js';
import { messageIn, type RawAnswer, sendMcp } from './raw-mcp.js';
import { type OwnStack, startOwnStack } from './own-stack.js';
import { grantedAgent, registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';

const slug = freshSlug('busy');
const agent = freshSlug('crowd');
const patient = { timeout: 60_000, interval: 50 };

let stack: OwnStack;
let server: TestServer;
let key: string;
let ledger: Ledger;
let urls: string[];

beforeAll(async () => {
  [stack, server] = await Promise.all([startOwnStack({ demo: false }), startTestServer(['work'])]);
  const api = apiOf(stack);
  await registerServer(api, slug, server.url);
  key = await grantedAgent(api, { agent, server: slug, names: ['work'] });
  urls = stack.gatewayUrls.map((url) => `${url}/mcp`);
});
afterAll(async () => {
  await ledger.stop();
  await Promise.all([stack.stop(), server.close()]);
});

/** Processes that run now, by name. */
async function pidOf(name: string): Promise<number | undefined> {
  const all = JSON.parse(await readFile(join(stack.dataDirectory, 'processes.json'), 'utf8')) as { name: string; pid: number }[];
  return all.find((one) => one.name === name)?.pid;
}

/** Waits until each node answered so many more calls. */
const moreCalls = async (count: number): Promise<void> => {
  const from = urls.map((url) => ledger.answeredAt(url));
  await vi.waitUntil(() => urls.every((url, index) => ledger.answeredAt(url) >= (from[index] ?? 0) + count), patient);
};

/** Ends a process as a power cut would, and waits until another is in its place. */
async function kill(name: string): Promise<void> {
  const pid = await pidOf(name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  await vi.waitUntil(async () => ![undefined, pid].includes(await pidOf(name)), patient);
}

const answered = (): string[] => [...ledger.entries].filter(([, { answer }]) => answer === 'result').map(([text]) => text);

interface Found {
  readonly rows: readonly AuditRow[];
  /** By the text of a call, how many rows of each phase. */
  readonly byText: ReadonlyMap<string, { intents: number; outcomes: number; successes: number }>;
}

async function readTrail(): Promise<Found> {
  const rows = (await auditRowsOf(stack.databaseUrl, agent)).filter(({ method }) => method === 'tools/call');
  const textOf = new Map(
    rows.flatMap((row) => (row.arguments === null ? [] : [[row.call_id, (JSON.parse(row.arguments) as { text: string }).text]])),
  );
  const byText = new Map<string, { intents: number; outcomes: number; successes: number }>();
  for (const { call_id, phase, status } of rows) {
    const text = textOf.get(call_id) ?? `without intent: ${call_id}`;
    const counted = byText.get(text) ?? { intents: 0, outcomes: 0, successes: 0 };
    if (phase === 'intent') counted.intents += 1;
    if (phase === 'outcome') counted.outcomes += 1;
    if (phase === 'outcome' && status === 'success') counted.successes += 1;
    byText.set(text, counted);
  }
  return { rows, byText };
}

test('a node that is asked to end answers the calls it has begun, takes no others, and is back', { timeout: 120_000 }, async () => {
  const [url = ''] = urls;
  const pid = await pidOf('gateway-1');
  const release = server.hold();
  const call = (text: string, era: 'legacy' | 'modern'): Promise<RawAnswer> =>
    sendMcp(url, { key, era, method: 'tools/call', params: { name: `${slug}__work`, arguments: { text } } });
  const begun = ['a', 'b', 'c', 'd'].map((text, index) => call(`begun ${text}`, index % 2 === 0 ? 'legacy' : 'modern'));
  await vi.waitUntil(() => server.ran.length === begun.length, patient);
  process.kill(pid ?? 0, 'SIGTERM');
  // A list, since a call that still got in would be held as well.
  const isClosed = (): Promise<boolean> =>
    sendMcp(url, { key, era: 'modern', method: 'tools/list' }).then(
      ({ status }) => status === 503,
      () => true,
    );
  await vi.waitUntil(isClosed, patient);
  release();
  const answers = await Promise.all(begun);
  expect(answers.map((answer) => messageIn(answer).result?.content?.[0]?.text)).toEqual(['a', 'b', 'c', 'd'].map((text) => `work: begun ${text}`));
  await vi.waitUntil(async () => ![undefined, pid].includes(await pidOf('gateway-1')), patient);
  await vi.waitUntil(async () => !(await isClosed()), patient);
});

test('nodes, queue and worker are killed under load, again and again, and all come back by themselves', { timeout: 180_000 }, async () => {
  const before = server.ran.length;
  ledger = startCrowd({ urls, key, tool: `${slug}__work`, clientsPerNode: 3 });
  await moreCalls(20);
  expect(server.ran.length).toBeGreaterThan(before);
  for (const name of ['gateway-1', 'gateway-2', 'audit-worker', 'redis', 'gateway-1', 'audit-worker', 'gateway-1']) {
    await kill(name);
    await moreCalls(10);
  }
  await ledger.stop();
  expect(answered().length).toBeGreaterThan(150);
  expect([...ledger.entries.values()].filter(({ answer }) => answer === 'foreign' || answer === 'error')).toEqual([]);
});

test('every answered call is in Postgres exactly once, with its outcome', { timeout: 120_000 }, async () => {
  const isRecorded = ({ byText }: Found): boolean => answered().every((text) => (byText.get(text)?.outcomes ?? 0) > 0);
  await vi.waitUntil(async () => isRecorded(await readTrail()), { timeout: 90_000, interval: 250 });
  const { byText } = await readTrail();
  const wrong = answered().filter((text) => {
    const { intents, outcomes, successes } = byText.get(text) ?? { intents: 0, outcomes: 0, successes: 0 };
    return intents !== 1 || outcomes !== 1 || successes !== 1;
  });
  expect(wrong).toEqual([]);
});

test('what reached the server is on record too, answered or not, and reached it once', { timeout: 120_000 }, async () => {
  const ran = server.ran.filter((text) => text.startsWith(ledger.prefix));
  expect(new Set(ran).size).toBe(ran.length);
  // What a killed node had begun comes from its spool, by way of a queue and a worker that were killed as well.
  const { byText } = await vi.waitFor(async () => {
    const found = await readTrail();
    expect(ran.filter((text) => found.byText.get(text)?.intents !== 1)).toEqual([]);
    return found;
  }, patient);
  const calls = [...byText].filter(([text]) => !text.startsWith('begun'));
  expect(calls.filter(([text, { intents, outcomes }]) => !ledger.entries.has(text) || intents !== 1 || outcomes > 1)).toEqual([]);
});

test('no sequence number of any run of any node is missing', async () => {
  const found = (await boots(stack.databaseUrl)).filter(({ node }) => node.startsWith('gateway-'));
  expect(found.filter(({ rows, first, last }) => first !== 1 || rows !== last)).toEqual([]);
  expect(found.filter(({ node }) => node === 'gateway-1').length).toBeGreaterThanOrEqual(4);
  const lost = ledger.entries.size - answered().length;
  console.log(
    `${ledger.entries.size} calls sent, ${answered().length} answered, ${lost} met a node that was down or killed; ${found.length} runs without a hole`,
  );
});
