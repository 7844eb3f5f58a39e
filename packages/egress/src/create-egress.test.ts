import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { afterEach, expect, test, vi } from 'vitest';
import type { CallPool } from './call-pool.js';
import { createEgress, type EgressOptions } from './create-egress.js';
import { EgressRefused } from './egress-refused.js';
import type { Resolve } from './vetted-connector.js';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0).toReversed()) await close();
});

const inside = { address: '127.0.0.1', family: 4 }; // allowed below
const outside = { address: '127.0.0.2', family: 4 }; // a private address that is not

test('an allowed private address answers through fetch, dispatcher and pool', async () => {
  const { port } = await listen();
  const egress = open();
  expect(await (await egress.fetch(`http://127.0.0.1:${port}/a`)).text()).toBe('inside /a');
  const direct = await request(`http://127.0.0.1:${port}/b`, { dispatcher: egress.dispatcher });
  expect(await direct.body.text()).toBe('inside /b');
  const pool = poolOf(egress.poolFor(`http://127.0.0.1:${port}/ignored`, { connections: 2 }));
  expect(await (await pool.request({ path: '/c', method: 'GET' })).body.text()).toBe('inside /c');
});

test('an address literal is refused on every way out before a byte is sent', async () => {
  const { port, seen } = await listen(outside.address);
  const egress = open();
  const url = `http://${outside.address}:${port}/`;
  await expect(egress.fetch(url)).rejects.toThrow(new EgressRefused('egress.address'));
  await expect(request(url, { dispatcher: egress.dispatcher })).rejects.toThrow(new EgressRefused('egress.address'));
  await expect(request(`http://[::ffff:127.0.0.2]:${port}/`, { dispatcher: egress.dispatcher })).rejects.toThrow(EgressRefused);
  expect(() => egress.poolFor(url)).toThrow(new EgressRefused('egress.address'));
  expect(seen).toEqual([]);
});

test('a name is refused when it resolves to nothing that may be reached', async () => {
  const egress = open({ resolve: async () => [outside, { address: '::1', family: 6 }, { address: '169.254.169.254', family: 4 }] });
  await expect(egress.fetch('http://rebind.example/')).rejects.toMatchObject({ code: 'egress.address' });
  const pool = poolOf(egress.poolFor('http://rebind.example'));
  await expect(pool.request({ path: '/', method: 'GET' })).rejects.toMatchObject({ code: 'egress.address' });
});

test('of mixed answers only the reachable address is connected to', async () => {
  const { port, seen } = await listen();
  const trap = await listen(outside.address, { port });
  const egress = open({ resolve: async () => [outside, inside, { address: '::1', family: 6 }] });
  expect(await (await egress.fetch(`http://mixed.example:${port}/x`)).text()).toBe('inside /x');
  expect(seen).toEqual(['/x']);
  expect(trap.seen).toEqual([]);
});

test('a name that turns private between two connections is refused at the second', async () => {
  const { port } = await listen(inside.address, { answer: (_, response) => response.setHeader('connection', 'close').end('once') });
  const trap = await listen(outside.address, { port });
  const answers = [[inside], [outside]];
  const egress = open({ resolve: async () => answers.shift() ?? [] });
  const url = `http://rebind.example:${port}/`;
  expect(await (await egress.fetch(url)).text()).toBe('once');
  await expect(egress.fetch(url)).rejects.toMatchObject({ code: 'egress.address' });
  await expect(egress.fetch(url)).rejects.toMatchObject({ code: 'egress.unresolved' });
  expect(trap.seen).toEqual([]);
});

test('an open connection keeps the address it was made to', async () => {
  const { port } = await listen();
  const resolve = vi.fn<Resolve>(async () => [inside]);
  const pool = poolOf(open({ resolve }).poolFor(`http://pinned.example:${port}`, { connections: 1 }));
  for (let i = 0; i < 3; i++) await (await pool.request({ path: '/', method: 'GET' })).body.dump();
  expect(resolve).toHaveBeenCalledTimes(1);
});

test.each([301, 302, 303, 307, 308, 300])('a %i answer is an error and is not followed', async (status) => {
  const { port, seen } = await listen(inside.address, {
    answer: (_, response) => response.writeHead(status, { location: 'http://169.254.169.254/' }).end('elsewhere'),
  });
  const egress = open();
  const refused = egress.fetch(`http://127.0.0.1:${port}/`, { redirect: 'follow', headers: { authorization: 'Bearer x' } });
  await expect(refused).rejects.toThrow(new EgressRefused('egress.redirect'));
  expect(seen).toHaveLength(1);
});

test('proxy variables of the environment are ignored', async () => {
  const proxy = await listen();
  const { port } = await listen();
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY']) vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
  vi.stubEnv('NODE_USE_ENV_PROXY', '1');
  expect(await (await open().fetch(`http://127.0.0.1:${port}/direct`)).text()).toBe('inside /direct');
  expect(proxy.seen).toEqual([]);
});

test('requests with a body, headers and a signal pass as the caller wrote them', async () => {
  const { port } = await listen(inside.address, {
    answer: (incoming, response) => {
      incoming.setEncoding('utf8').on('data', (body: string) => response.end(`${incoming.method} ${String(incoming.headers['x-a'])} ${body}`));
    },
  });
  const signal = AbortSignal.timeout(20_000);
  const response = await open().fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: new Headers({ 'x-a': '1' }), body: '{}', signal });
  expect(await response.text()).toBe('POST 1 {}');
});

test('an answer above the size limit breaks off', async () => {
  const { port } = await listen(inside.address, { answer: (_, response) => response.end('x'.repeat(5000)) });
  const response = open({ bodyBytesMax: 1000 }).fetch(`http://127.0.0.1:${port}/`);
  await expect(response.then((answer) => answer.text())).rejects.toThrow(/terminated|size|aborted/i);
});

test('a refusal tells its code and nothing of the network', async () => {
  const egress = open({ resolve: async () => [outside] });
  const error: unknown = await egress.fetch('http://inner.example/path').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EgressRefused);
  expect(JSON.stringify(error) + String(error)).not.toMatch(/127\.0|inner|path/);
});

test('nothing is allowed beyond the public network unless it is listed', async () => {
  const { port, seen } = await listen();
  const egress = open({ allow: [] });
  await expect(egress.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'egress.address' });
  expect(egress.checkUrl(`http://127.0.0.1:${port}/`)).toEqual({ ok: false, reason: 'egress.address' });
  expect(seen).toEqual([]);
});

function open(options: Partial<EgressOptions> = {}) {
  const egress = createEgress({ allow: ['127.0.0.1/32'], ...options });
  closers.push(() => egress.dispatcher.destroy());
  return egress;
}

function poolOf(pool: CallPool): CallPool {
  closers.push(() => pool.destroy());
  return pool;
}

async function listen(host = inside.address, { port = 0, answer }: { port?: number; answer?: RequestListener } = {}) {
  const seen: string[] = [];
  const server: Server = createServer((incoming, response) => {
    seen.push(incoming.url ?? '');
    if (answer) answer(incoming, response);
    else response.end(`inside ${incoming.url}`);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return { port: (server.address() as AddressInfo).port, seen };
}
