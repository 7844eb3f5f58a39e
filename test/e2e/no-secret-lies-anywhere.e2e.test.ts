import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { connectRedis } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { auditRowsOf } from './audit-rows.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { NeedleSearch } from './needle-search.js';
import { encodingsOf } from './encodings-of.js';
import { jsonHeaders, send, sendMcp } from './raw-mcp.js';
import { registerServer } from './register-server.js';
import { allFiles, databaseText, filesHolding } from './secrets-at-rest.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('canary');
const agent = freshSlug('singer');
const patient = { timeout: 20_000, interval: 50 };
const random = (length: number): string => randomBytes(length).toString('hex').slice(0, length);

/** Seen by whoever may see the trail: it shows that a look would have found what lies there. */
const marker = `Kanarienvogel-${random(16)}`;

/** In each a secret that nothing else holds, and the text that it stands in. Put together here, so that this file holds none. */
const shaped: readonly (readonly [secret: string, text: string])[] = [
  `gh${'p'}_${random(36)}`,
  `github_${'pat'}_${random(50)}`,
  `gl${'pat'}-${random(20)}`,
  `xo${'xb'}-1234567890-${random(24)}`,
  `AK${'IA'}${random(16).toUpperCase()}`,
  `AI${'za'}${random(35)}`,
  `sk_${'live'}_${random(24)}`,
  `sk-${'ant'}-${random(60)}`,
  `np${'m'}_${random(36)}`,
  `ey${'J'}${random(20)}.ey${'J'}${random(20)}.${random(40)}`,
  `-----BEGIN ${'EC'} PRIVATE KEY-----\n${random(60)}\n-----END EC PRIVATE KEY-----`,
].map((secret) => [secret, secret] as const);
const inText: readonly (readonly [secret: string, text: string])[] = [
  (secret: string) => `postgres://app:${secret}@db.example.com/x`,
  (secret: string) => `Authorization: Bearer ${secret}`,
  (secret: string) => `export DB_PASSWORD=${secret}`,
  (secret: string) => JSON.stringify({ note: 'as the file says', client_secret: secret }),
].map((text) => {
  const secret = random(32);
  return [secret, text(secret)] as const;
});

let server: TestServer;
let key: string;
let callIds: string[];
let calls = 0;
const canaries = new Map<string, string>();
const plant = (name: string, secret = random(32)): string => {
  canaries.set(name, secret);
  return secret;
};
const secretOf = (bearer: string): string => bearer.split('_').slice(2).join('_');

async function call(args: Record<string, unknown>, tool = 'work', url = stack.gatewayUrls[0] ?? ''): Promise<void> {
  calls += 1;
  const era = calls % 2 === 0 ? 'legacy' : 'modern';
  await sendMcp(`${url}/mcp`, { key, era, method: 'tools/call', params: { name: `${slug}__${tool}`, arguments: args } });
}

/** Secrets as agents and servers say them: in arguments, in the results that say them back, in names, headers and whatever is no message. */
async function sayThem(): Promise<void> {
  await call({ text: `${marker} ${plant('the key of the caller', secretOf(key))} ${key}` });
  for (const [number, [secret, text]] of [...shaped, ...inText].entries()) {
    plant(`shape ${number}`, secret);
    await call({ text: `${text} ` }, 'work', stack.gatewayUrls[number % 2]);
  }
  await call({ text: 'x', password: plant('a field'), deep: [{ apiKey: plant('a field below'), token: { a: plant('in a field') } }] });
  await call({ text: 'x', ssn: plant('a configured place'), list: [{ ssn: 'x' }] });
  await call({ text: `${'.'.repeat(65_510)} ${shaped[0]?.[0] ?? ''}` });
  await call({ text: `${plant('hashed')} and more` }, 'hashed');
  await call({ text: `${plant('not kept')} and more` }, 'none');
  await call({ text: plant('kept of a refused call', `gh${'p'}_${random(36)}`) }, 'unknown');
  const [url = ''] = stack.gatewayUrls;
  await sendMcp(`${url}/mcp`, { key, era: 'legacy', method: 'tools/call', params: { name: `nowhere__${key}` } });
  await sendMcp(`${url}/mcp`, { key, era: 'legacy', method: plant('a method', `gh${'p'}_${random(36)}`) });
  await send(`${url}/mcp?token=${plant('a query')}`, {
    headers: { ...jsonHeaders(key), 'user-agent': plant('a header') },
    body: `{"${plant('no JSON')}`,
  });
  const wrong = `${key.slice(0, -20)}${plant('a wrong key', random(20))}`;
  await send(`${url}/mcp`, { headers: jsonHeaders(wrong), body: '{}' });
}

beforeAll(async () => {
  server = await startTestServer(['work', 'hashed', 'none']);
  await registerServer(api, slug, server.url);
  await api.agents.create({ slug: agent });
  await api.grants.create({ agent, server: slug, names: ['*'] });
  const both = (mode: 'hashed' | 'none') => ({ names: [mode], arguments: { mode }, results: { mode } });
  await api.servers.update(slug, {
    auditCapture: { arguments: { paths: ['/ssn', '/list/*/ssn'] }, results: { bytesMax: 4096 }, tools: [both('hashed'), both('none')] },
  });
  const headers = [{ name: 'x-api-key', value: plant('a credential of a server') }];
  await api.credentials.create({ server: slug, credential: { kind: 'headers', headers } });
  const made = await api.agents.createKey(agent, {}, { wait: 'all' });
  key = made.value.key;
  plant('the token of the operator', secretOf(stack.operatorToken));
  for (const [name, demoKey] of Object.entries(stack.agents)) plant(`the key of ${name}`, secretOf(demoKey));
  const task = await api.agents.createTaskKey(agent, { task: 'sing', servers: [slug], ttlSeconds: 600 });
  plant('a key for a task', task.key.slice('task_'.length));
  const hook = await api.webhooks.create({ name: freshSlug('hook'), url: 'https://hooks.example.com/in' });
  plant('the secret of a webhook', (hook.secret ?? '').slice('whsec_'.length));
  await sayThem();
  forms = new Map([...canaries, ['marker', marker] as const].flatMap(([name, secret]) => encodingsOf(secret).map((form) => [form, name] as const)));
  search = new NeedleSearch([...forms.keys()]);
  await vi.waitUntil(async () => {
    const rows = (await auditRowsOf(stack.databaseUrl, agent)).filter(({ method }) => method === 'tools/call');
    callIds = [...new Set(rows.map(({ call_id: id }) => id))];
    return rows.filter(({ phase }) => phase !== 'intent').length > calls;
  }, patient);
});
afterAll(() => server.close());

let forms: Map<string, string>;
let search: NeedleSearch;

/** Names of the canaries, and the marker, of which one of these texts holds any form. */
function foundIn(texts: readonly (string | Buffer)[]): string[] {
  const found = texts.flatMap((text) => [...search.in(typeof text === 'string' ? Buffer.from(text) : text)]);
  return [...new Set(found.map((form) => forms.get(form) ?? form))].sort();
}

test('A145: no secret lies in any table', async () => {
  const text = await databaseText(stack.databaseUrl);
  expect(foundIn([text])).toEqual(['marker']);
});

test('A145: no secret lies in Redis', async () => {
  const redis = connectRedis(stack.redisUrl);
  try {
    // What Redis holds in memory, written without compression beside its append-only file.
    await redis.config('SET', 'rdbcompression', 'no');
    await redis.save();
  } finally {
    redis.disconnect();
  }
  const files = (await allFiles(stack.dataDirectory)).filter((path) => /\.(?:rdb|aof)$/.test(path));
  const texts = await Promise.all(files.map((path) => readFile(path)));
  expect(texts.some((text) => text.includes('REDIS0'))).toBe(true);
  // Batches of events went this way.
  expect(foundIn(texts)).toEqual(['marker']);
});

test('A145: no secret lies in a file: logs, spools, copies of policy, the write-ahead log', async () => {
  const files = await allFiles(stack.dataDirectory);
  const kinds = ['.log', 'head.json', 'identity.json'].filter((kind) => !files.some((path) => path.endsWith(kind)));
  expect(kinds).toEqual([]);
  const holding: Record<string, string[]> = {};
  for (const path of files) {
    // The system goes on while it is read: a file may be gone by now.
    const found = foundIn([await readFile(path).catch(() => Buffer.alloc(0))]);
    if (found.length > 0) holding[relative(stack.dataDirectory, path)] = found;
  }
  const { 'tokens.json': tokens = [], ...others } = holding;
  // Where the machine's own operator finds them again, readable by nobody else.
  expect(tokens.filter((name) => !/^the (?:token of the operator|key of [a-z-]+-agent)$/.test(name))).toEqual([]);
  const told = Object.entries(others).filter(([, names]) => names.join() !== 'marker');
  expect(told).toEqual([]);
  // The spool and the database have what may be known.
  expect(Object.keys(others).filter((path) => path.endsWith('.seg'))).not.toEqual([]);
  // The own key of a node or runner is in its own folder alone.
  const identities = files.filter((path) => basename(path) === 'identity.json');
  for (const path of identities) {
    const { nodeKey, runnerKey } = JSON.parse(await readFile(path, 'utf8')) as { nodeKey?: string; runnerKey?: string };
    expect(await filesHolding(stack.dataDirectory, encodingsOf(secretOf(nodeKey ?? runnerKey ?? '')))).toEqual([path]);
  }
});

test('A145: no secret is told by metrics', async () => {
  const base = Number(new URL(stack.controlPlaneUrl).port);
  const ports = [1, 2, 3, ...stack.gatewayUrls.map((_, at) => 50 + at)].map((offset) => base + offset);
  const texts = await Promise.all(ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()));
  for (const text of texts) expect(text).toContain('# TYPE');
  expect(foundIn(texts)).toEqual([]);
});

test('A145: no secret is told by any answer of REST', async () => {
  const { paths } = (await (await fetch(`${stack.controlPlaneUrl}/v1/openapi.json`)).json()) as { paths: Record<string, { get?: unknown }> };
  const known: Readonly<Record<string, readonly string[]>> = { server: [slug], agent: [agent], callId: callIds.filter((_, at) => at % 5 === 0) };
  const templates = Object.entries(paths).flatMap(([path, { get }]) => (get === undefined ? [] : [path]));
  const routes = templates.flatMap((path) => {
    const [, parameter] = /\{(\w+)\}/.exec(path) ?? [];
    const values = parameter === undefined ? [''] : (known[parameter] ?? []);
    return values.map((value) => path.replace(`{${parameter ?? ''}}`, value)).filter((made) => !made.includes('{'));
  });
  expect(routes.length).toBeGreaterThan(30);
  const headers = { authorization: `Bearer ${stack.operatorToken}` };
  const answers: string[] = [];
  for (const route of routes)
    answers.push(await textOf(`${stack.controlPlaneUrl}${route}${route.endsWith('/timeline') ? `?agent=${agent}` : ''}`, headers));
  expect(foundIn(answers)).toEqual(['marker']);
});

test('A145: no secret is told by the answer to a request that is refused', async () => {
  const operator = { authorization: `Bearer ${stack.operatorToken}`, 'content-type': 'application/json', 'if-match': '*' };
  const { paths } = (await (await fetch(`${stack.controlPlaneUrl}/v1/openapi.json`)).json()) as { paths: Record<string, Record<string, unknown>> };
  const secrets = [...canaries.values()].filter((secret) => /^[\w-]{20,}$/.test(secret));
  const answers: string[] = [];
  const ask = async (url: string, init: RequestInit): Promise<void> => {
    const response = await fetch(url, init);
    expect(response.status, url).toBeGreaterThanOrEqual(400);
    answers.push(JSON.stringify([...response.headers]), await response.text());
  };
  let at = 0;
  const secret = (): string => secrets[(at += 1) % secrets.length] ?? '';
  for (const [path, methods] of Object.entries(paths)) {
    const url = `${stack.controlPlaneUrl}${path.replaceAll(/\{\w+\}/g, '0198c0de-0000-7000-8000-00000000dead')}`;
    for (const method of Object.keys(methods).filter((one) => ['post', 'put', 'patch'].includes(one))) {
      await ask(url, { method: method.toUpperCase(), headers: operator, body: JSON.stringify({ slug: { no: secret() }, reason: [secret()] }) });
      await ask(url, { method: method.toUpperCase(), headers: operator, body: `{"broken": "${secret()}` });
    }
    await ask(`${url}?${new URLSearchParams({ limit: secret() }).toString()}`, { headers: { authorization: `Bearer ${secret()}` } });
  }
  await ask(`${stack.controlPlaneUrl}/v1/${secret()}`, { headers: operator });
  for (const url of stack.gatewayUrls) {
    await ask(`${url}/${secret()}?q=${secret()}`, { headers: jsonHeaders(key) });
    await ask(`${url}/mcp`, { method: 'POST', headers: jsonHeaders(key), body: `["${secret()}` });
    await ask(`${url}/mcp`, { method: 'POST', headers: { ...jsonHeaders(secret()), 'mcp-session-id': secret() }, body: '{}' });
    await ask(`${url}/mcp`, { method: 'PUT', headers: { ...jsonHeaders(key), cookie: secret() }, body: secret() });
  }
  expect(answers.length).toBeGreaterThan(200);
  expect(foundIn(answers)).toEqual([]);
});

/** What is answered; a stream tells what other routes tell, and does not end. */
async function textOf(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, { headers });
  if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) return response.text();
  await response.body?.cancel();
  return '';
}

test('an auditor sees of each call what became of its secrets', async () => {
  const kept: Record<string, number> = {};
  for await (const { argsCapture } of api.audit.events.each({ agent, method: 'tools/call', limit: 100 }))
    kept[argsCapture] = (kept[argsCapture] ?? 0) + 1;
  // The marker's call, those by shape, by name of a field, by place and refused; besides them one of which nothing was told.
  expect(kept).toEqual({ redacted: shaped.length + inText.length + 5, hashed: 1, none: 1, full: 1 });
});
