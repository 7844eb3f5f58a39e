import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RunnerClient, stdioServer, streamOf, valueOf, type Rpc } from '../testing/runner-client.js';
import { ACCESS_TOKEN, TestRunner } from '../testing/test-runner.js';

const SOON = { timeout: 20_000, interval: 20 };
let runner: TestRunner;
beforeAll(async () => {
  runner = await TestRunner.start();
  runner.assign('shared', stdioServer());
  runner.assign('own', stdioServer('normal', { instances: { mode: 'per-agent', most: 2 } }));
});
afterAll(() => runner.close());

async function client(slug: string, agentId = 'agent-1', capabilities: object = {}): Promise<RunnerClient> {
  const opened = new RunnerClient(runner.urlOf(slug), agentId);
  const { result } = await opened.open(capabilities);
  expect(result).toBeDefined();
  return opened;
}

test('nobody without the token of nodes learns anything, not even which servers there are', async () => {
  const answers = await Promise.all(
    ['shared', 'nowhere'].flatMap((slug) =>
      [undefined, 'Bearer wrong', 'Bearer ', 'Basic YTpi'].map((authorization) =>
        fetch(runner.urlOf(slug), { method: 'POST', headers: authorization === undefined ? {} : { authorization }, body: '{}' }),
      ),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  expect(new Set(await Promise.all(answers.map((answer) => answer.text())))).toEqual(new Set(['']));
  expect((await new RunnerClient(runner.urlOf('nowhere')).post({ id: 1, method: 'ping' })).status).toBe(404);
  expect((await new RunnerClient(runner.urlOf('own'), '').post({ id: 1, method: 'initialize' })).status).toBe(400);
});

test('A104: no host and no form of a path leads past the token of nodes, and none with it to another server', async () => {
  const port = Number(new URL(runner.urlOf('own')).port);
  const ask = async (path: string, headers: Record<string, string>): Promise<number> => {
    const sent = request({ port, path, method: 'POST', headers: { 'portcullis-agent': 'agent-1', ...headers } }).end('{}');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  };
  const place = '/servers/own/mcp';
  const forms = [
    `/${place}`,
    `${place}/`,
    `${place}?x=1`,
    `${place}%00`,
    `/.${place}`,
    '/servers/own/../own/mcp',
    '/servers%2fown/mcp',
    '/Servers/own/mcp',
  ];
  for (const path of [place, '/', '/servers', ...forms]) expect([path, await ask(path, {})]).toEqual([path, 401]);
  for (const host of ['localhost', '127.0.0.1', 'evil.example']) expect(await ask(place, { host, 'x-forwarded-for': '127.0.0.1' })).toBe(401);
  const authorization = `Bearer ${ACCESS_TOKEN}`;
  for (const path of forms) expect([path, await ask(path, { authorization })]).toEqual([path, 404]);
});

test('a client that asks which era it is finds the older one', async () => {
  const asked = new RunnerClient(runner.urlOf('shared'));
  const response = await asked.post({ id: 1, method: 'server/discover', params: { _meta: {} } });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: -32000, message: 'Bad Request: Server not initialized' } });
});

test('a shared child is initialised by the runner, which can ask nobody, and once for all', async () => {
  const [one, two] = [new RunnerClient(runner.urlOf('shared'), 'a'), new RunnerClient(runner.urlOf('shared'), 'b')];
  const answers = await Promise.all([one.open({ sampling: {} }), two.open({ roots: {} })]);
  const said = answers.map(({ result }) => JSON.parse(String(result?.['instructions'])) as object);
  expect(said).toEqual(
    Array(2).fill(expect.objectContaining({ capabilities: {}, clientInfo: expect.objectContaining({ name: 'portcullis-runner' }) as unknown })),
  );
  const [first, second] = (await Promise.all([one.value('self'), two.value('self')])) as { args: string[] }[];
  expect(first?.args).toEqual(second?.args);
  expect(runner.status('shared').instances).toBe(1);
});

test('A124: calls of many agents on one child get their own answers, whatever ids they chose', async () => {
  const clients = await Promise.all(Array.from({ length: 8 }, (_, at) => client('shared', `agent-${at}`)));
  const work = clients.flatMap((one, agent) =>
    Array.from({ length: 10 }, async (_, call) => {
      const response = await one.post({ id: 1, method: 'tools/call', params: { name: 'echo', arguments: { agent, call } } });
      const answer = (await response.json()) as Rpc;
      expect(answer.id).toBe(1);
      expect(valueOf(answer)).toEqual({ agent, call });
    }),
  );
  await Promise.all(work);
});

test('A124: a child that answers for others, and tells of what is not about the call, reaches nobody else', async () => {
  const [one, two] = await Promise.all([client('shared', 'a'), client('shared', 'b')]);
  const waiting = new AbortController();
  const waits = one
    .request('tools/call', { name: 'wait', arguments: {}, _meta: { progressToken: 'mine' } }, { signal: waiting.signal })
    .catch(() => 'given up');
  await vi.waitFor(async () => expect(((await two.value('cancelled')) as { waiting: unknown[] }).waiting).toHaveLength(1), SOON);
  const messages = await two.request('tools/call', { name: 'echo', arguments: {} });
  expect(messages).toHaveLength(1);
  const stream = await two.request('tools/call', { name: 'progress', _meta: { progressToken: 'other' } });
  expect(stream.map(({ params }) => params?.['progressToken'])).toEqual(['other', 'other', 'other', undefined]);
  waiting.abort();
  expect(await waits).toBe('given up');
});

test('A124: a child sees no id and no token that an agent chose', async () => {
  const one = await client('shared');
  const seen = (await one.value('seen', {}, { progressToken: 'the agent chose this' })) as { id: unknown; token: unknown };
  expect(seen.id).toEqual(expect.any(Number));
  expect(seen.token).toBe(seen.id);
});

test('A124: answers under ids that nobody has, and log lines of a shared child, are told to no agent', async () => {
  const one = await client('shared');
  const messages = await one.request('tools/call', { name: 'forge' });
  expect(messages.map(valueOf)).toEqual(['own']);
  expect(runner.log('shared')).toContain('a word about another agent');
});

test('A124: a session is of the agent that opened it', async () => {
  const one = await client('shared', 'a');
  const other = new RunnerClient(runner.urlOf('shared'), 'b');
  other.sessionId = one.sessionId;
  expect((await other.post({ id: 1, method: 'tools/list' })).status).toBe(404);
});

test('a call whose caller hangs up, or says so, is cancelled at the child', async () => {
  const one = await client('shared');
  const before = (await one.value('cancelled')) as { cancelled: number[]; waiting: number[] };
  const hangUp = new AbortController();
  const gone = one.request('tools/call', { name: 'wait' }, { signal: hangUp.signal }).catch(() => 'given up');
  const told = one.post({ id: 'told', method: 'tools/call', params: { name: 'wait' } });
  await vi.waitFor(async () => expect(((await one.value('cancelled')) as typeof before).waiting).toHaveLength(before.waiting.length + 2), SOON);
  hangUp.abort();
  await one.post({ method: 'notifications/cancelled', params: { requestId: 'told' } });
  expect(await gone).toBe('given up');
  expect(await (await told).json()).toMatchObject({ id: 'told', error: { data: { reason: 'runner.cancelled' } } });
  await vi.waitFor(async () => {
    const { cancelled, waiting } = (await one.value('cancelled')) as typeof before;
    expect(new Set(cancelled.slice(before.cancelled.length))).toEqual(new Set(waiting.slice(before.waiting.length)));
  }, SOON);
});

test('changes are told on the streams of sessions, of resources only to who subscribed', async () => {
  const [one, two] = await Promise.all([client('shared', 'a'), client('shared', 'b')]);
  await one.request('resources/subscribe', { uri: 'test://one' });
  const streams = await Promise.all([one.fetch({ method: 'GET' }), two.fetch({ method: 'GET' })]);
  await one.value('change');
  const [ofOne, ofTwo] = streams.map((stream) => streamOf(stream));
  expect((await ofOne?.next())?.value).toMatchObject({ method: 'notifications/tools/list_changed' });
  expect((await ofOne?.next())?.value).toMatchObject({ method: 'notifications/resources/updated', params: { uri: 'test://one' } });
  expect((await ofTwo?.next())?.value).toMatchObject({ method: 'notifications/tools/list_changed' });
  expect((await one.fetch({ method: 'DELETE' })).status).toBe(200);
  expect((await two.fetch({ method: 'DELETE' })).status).toBe(200);
  expect((await ofTwo?.next())?.done).toBe(true);
});

test('A124: what the child of one agent writes into its folder is not where that of another works', async () => {
  const [one, two] = await Promise.all([client('own', 'agent-1'), client('own', 'agent-2')]);
  const [first, second] = (await Promise.all([one.value('self'), two.value('self')])) as { cwd: string }[];
  expect(first?.cwd).not.toBe(second?.cwd);
  for (const { cwd } of [first, second].flatMap((self) => self ?? [])) expect(cwd).not.toContain('agent-');
});

test('A124: each agent has a child of its own where the profile says so, initialised with what its client is', async () => {
  const [one, two] = [new RunnerClient(runner.urlOf('own'), 'a'), new RunnerClient(runner.urlOf('own'), 'b')];
  const { result } = await one.open({ sampling: {} });
  expect(JSON.parse(String(result?.['instructions']))).toMatchObject({ capabilities: { sampling: {} }, clientInfo: { name: 'test' } });
  await two.open();
  // Those of others made room for them.
  await vi.waitFor(() => expect(runner.status('own').instances).toBe(2), SOON);
  // What one agent left behind, the other does not find.
  const waiting = one.request('tools/call', { name: 'wait' }).catch(() => undefined);
  await vi.waitFor(async () => expect(await one.value('cancelled')).toEqual({ cancelled: [], waiting: [expect.any(Number)] }), SOON);
  expect(await two.value('cancelled')).toEqual({ cancelled: [], waiting: [] });
  // One that works keeps its place; one that does not makes room for the next.
  const third = new RunnerClient(runner.urlOf('own'), 'c');
  await third.open();
  expect((await two.post({ id: 1, method: 'tools/list' })).status).toBe(404);
  await one.fetch({ method: 'DELETE' });
  expect(await one.post({ id: 1, method: 'tools/list' })).toMatchObject({ status: 404 });
  void waiting;
});

test('a child of an agent of its own asks that agent, on the answer of the call', async () => {
  const one = await client('own', 'asking', { sampling: {} });
  const response = await one.post({ id: 'call', method: 'tools/call', params: { name: 'ask' } });
  const messages = streamOf(response);
  const question = (await messages.next()).value as Rpc;
  expect(question).toMatchObject({ method: 'sampling/createMessage', params: { maxTokens: 1 } });
  expect((await one.post({ id: 'made up', result: {} })).status).toBe(202);
  expect((await one.post({ id: question.id, result: { model: 'x', role: 'assistant', content: { type: 'text', text: 'yes' } } })).status).toBe(202);
  const answer = (await messages.next()).value as Rpc;
  expect(answer.id).toBe('call');
  expect(valueOf(answer)).toMatchObject({ id: question.id, result: { model: 'x' } });
});

test('a child that is shared can ask nobody', async () => {
  const one = await client('shared');
  expect(await one.value('ask')).toMatchObject({ error: { code: -32601 } });
});
