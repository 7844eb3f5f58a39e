import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startBearerShim } from './bearer-shim.mjs';
import { startUnPrefix } from './un-prefix.mjs';

const running: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop();
});

const track = <T extends { stop(): Promise<unknown> }>(part: T): T => {
  running.push(part);
  return part;
};

async function target(answer: Parameters<typeof createServer>[1]): Promise<{ url: string; server: Server }> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  track({
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, server };
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const sent = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } });
  sent.end(JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of message.setEncoding('utf8')) text += String(part);
  return text;
}

test('the shim adds the key and leaves Host and Origin to the node', async () => {
  const { url } = await target((incoming, outgoing) => outgoing.end(JSON.stringify(incoming.headers)));
  const shim = track(await startBearerShim(url, 'key'));
  const headers = JSON.parse(await textOf(await post(shim.url, {}, { host: 'evil.example', origin: 'https://evil.example' }))) as unknown;
  expect(headers).toMatchObject({ authorization: 'Bearer key', host: 'evil.example', origin: 'https://evil.example' });
});

test('the shim passes each piece of a stream as it comes, and the hang-up of the client', async () => {
  const hungUp = Promise.withResolvers<void>();
  const { url } = await target((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
    outgoing.write('data: first\n\n');
    outgoing.once('close', () => hungUp.resolve());
  });
  const shim = track(await startBearerShim(url, 'key'));
  const answer = await post(shim.url, {});
  const [piece] = (await once(answer, 'data')) as [Buffer];
  expect(piece.toString()).toBe('data: first\n\n');
  answer.destroy();
  await hungUp.promise;
});

test('a stream that the target breaks off is broken off for the client', async () => {
  const { url } = await target((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
    outgoing.write('data: first\n\n', () => outgoing.destroy());
  });
  const shim = track(await startBearerShim(url, 'key'));
  const answer = await post(shim.url, {});
  await expect(textOf(answer)).rejects.toThrow(/aborted/);
});

test('names get their prefix in the body and in the header that mirrors it', async () => {
  const { url } = await target((incoming, outgoing) => {
    void textOf(incoming).then((body) => outgoing.end(JSON.stringify([incoming.headers['mcp-name'], JSON.parse(body)])));
  });
  const adapter = track(await startUnPrefix(url, 'one__'));
  const call = { id: 1, method: 'tools/call', params: { name: 'echo' } };
  const named = { ...call, params: { name: 'one__echo' } };
  expect(JSON.parse(await textOf(await post(adapter.url, call, { 'mcp-name': 'echo' })))).toEqual(['one__echo', named]);
  expect(JSON.parse(await textOf(await post(adapter.url, call, { 'mcp-name': 'other' })))).toEqual(['other', named]);
  const completion = { id: 1, method: 'completion/complete', params: { ref: { type: 'ref/prompt', name: 'greet' } } };
  expect(JSON.parse(await textOf(await post(adapter.url, completion)))).toEqual([
    null,
    { ...completion, params: { ref: { type: 'ref/prompt', name: 'one__greet' } } },
  ]);
});

test.each([
  ['application/json', (text: string) => text],
  ['text/event-stream', (text: string) => `event: message\ndata: ${text}\n\n`],
])('lists lose the prefix, and names without it are left out (%s)', async (type, wrap) => {
  const list = (...names: string[]): string => wrap(JSON.stringify({ id: 7, result: { tools: names.map((name) => ({ name })) } }));
  const { url } = await target((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': type });
    outgoing.end(list('one__echo', 'other__echo'));
  });
  const adapter = track(await startUnPrefix(url, 'one__'));
  expect(await textOf(await post(adapter.url, { id: 7, method: 'tools/list', params: {} }))).toBe(list('echo'));
});
