import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiError, createApiClient, etagOf, type ApiClient } from './index.js';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}
interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

const now = '2026-11-22T08:00:00.000Z';
const agent = {
  id: '0198c1f0-0000-7000-8000-000000000001',
  slug: 'data-agent',
  name: 'data-agent',
  owner: null,
  toolNameStyle: 'double-underscore',
  enabled: true,
  groups: [],
  budgetSpentUntil: null,
  createdAt: now,
  updatedAt: now,
};
const problem = { type: 'urn:portcullis:problem:conflict', title: 'The request conflicts with what exists', status: 409 };

let server: Server;
let seen: Seen[] = [];
let answers: Answer[] = [];
let baseUrl: string;
let api: ApiClient;

beforeAll(async () => {
  server = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      const answer = answers.shift() ?? { status: 500 };
      const content = typeof answer.body === 'string' ? answer.body : answer.body === undefined ? '' : JSON.stringify(answer.body);
      response.writeHead(answer.status, answer.headers).end(content);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  api = createApiClient({ baseUrl: `${baseUrl}/`, token: 'op_token' });
});
afterEach(() => {
  seen = [];
  answers = [];
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

const failure = async (work: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error('expected an ApiError', { cause: error });
  return error;
};

describe('createApiClient', () => {
  it('sends the token, the body and the wish to wait, and gives the revision of a change', async () => {
    answers = [{ status: 201, body: agent, headers: { 'x-policy-revision': '17' } }];
    const { value, revision } = await api.agents.create({ slug: 'data-agent' }, { wait: 'all' });
    expect(value.slug).toBe('data-agent');
    expect(revision).toBe(17);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/agents?wait=all', body: '{"slug":"data-agent"}' });
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer op_token', 'content-type': 'application/json' });
  });

  it('reads a list to its end, one cursor after another', async () => {
    answers = [
      { status: 200, body: { items: [agent], nextCursor: 'a b' } },
      { status: 200, body: { items: [{ ...agent, slug: 'other' }], nextCursor: null } },
    ];
    const slugs: string[] = [];
    for await (const one of api.agents.list.each({ q: 'x&y', limit: 1 })) slugs.push(one.slug);
    expect(slugs).toEqual(['data-agent', 'other']);
    expect(seen.map(({ url }) => url)).toEqual(['/v1/agents?q=x%26y&limit=1', '/v1/agents?q=x%26y&limit=1&cursor=a+b']);
  });

  it('does not read further than the caller does', async () => {
    answers = [{ status: 200, body: { items: [agent], nextCursor: 'more' } }];
    for await (const one of api.agents.list.each()) if (one.slug === 'data-agent') break;
    expect(seen).toHaveLength(1);
  });

  it('refuses a list that gives the same cursor twice instead of reading for ever', async () => {
    answers = [1, 2, 3].map(() => ({ status: 200, body: { items: [], nextCursor: 'same' } }));
    const read = async (): Promise<void> => {
      for await (const one of api.agents.list.each()) void one;
    };
    await expect(read()).rejects.toThrow('same cursor twice');
  });

  it('gives a refusal as its problem document, with each fault in words', async () => {
    const errors = [{ pointer: '/slug', detail: 'is taken' }];
    answers = [{ status: 409, body: { ...problem, detail: 'There is one.', errors } }];
    const error = await failure(api.agents.create({ slug: 'data-agent' }));
    expect(error.status).toBe(409);
    expect(error.problem.type).toBe('urn:portcullis:problem:conflict');
    expect(error.message).toBe('There is one: /slug is taken');
  });

  it('keeps the revision of a change whose wait failed', async () => {
    answers = [{ status: 503, body: { ...problem, status: 503 }, headers: { 'x-policy-revision': '9' } }];
    expect((await failure(api.grants.delete(agent.id, { wait: 'all' }))).revision).toBe(9);
  });

  it('takes an answer without a body for what it is', async () => {
    answers = [{ status: 204 }];
    expect(await api.agents.delete('data-agent')).toEqual({ value: undefined, revision: null });
  });

  it('refuses an answer that breaks the contract, naming the place and not the content', async () => {
    answers = [{ status: 200, body: { ...agent, enabled: 'op_secret' } }];
    const error = await failure(api.agents.read('data-agent'));
    expect(error.message).toContain('enabled');
    expect(error.message).not.toContain('op_secret');
  });

  it('names the request that the server failed at', async () => {
    answers = [{ status: 500, body: { type: 'urn:portcullis:problem:internal', title: 'Internal error', status: 500 } }];
    expect((await failure(api.settings.read())).message).toBe('Internal error (GET /v1/settings answered 500)');
  });

  it('refuses an answer that is not the control plane’s', async () => {
    answers = [{ status: 502, body: '<html>bad gateway</html>' }];
    expect((await failure(api.settings.read())).message).toContain('without a problem document');
  });

  it('does not carry the token along a redirect', async () => {
    answers = [{ status: 307, headers: { location: `${baseUrl}/elsewhere` } }];
    await failure(api.settings.read());
    expect(seen).toHaveLength(1);
  });

  it('names the address when nothing answers there', async () => {
    const error = await failure(createApiClient({ baseUrl: 'http://127.0.0.1:1', token: 'op_token' }).settings.read());
    expect(error.status).toBe(0);
    expect(error.message).toBe('Nothing answers at http://127.0.0.1:1');
  });

  it('keeps a reference in its place in the path, whatever it contains', async () => {
    answers = [{ status: 404, body: { ...problem, status: 404 } }];
    await failure(api.servers.read('../agents?x=#y'));
    expect(seen[0]?.url).toBe('/v1/servers/..%2Fagents%3Fx%3D%23y');
    await expect(api.servers.read('..')).rejects.toThrow('cannot be part of a path');
  });

  it('says which version is meant, and under which key a request is carried out once', async () => {
    answers = [{ status: 200, body: agent, headers: { etag: '"7.x"' } }, { status: 200, body: agent }, { status: 204 }, { status: 201, body: agent }];
    const read = await api.agents.read('data-agent');
    await api.agents.update('data-agent', { name: 'x' }, { ifMatch: etagOf(read), wait: 'all' });
    await api.agents.delete('data-agent');
    await api.agents.create({ slug: 'data-agent' }, { idempotencyKey: 'k' });
    expect(seen.map(({ url, headers }) => [url, headers['if-match'], headers['idempotency-key']])).toEqual([
      ['/v1/agents/data-agent', undefined, undefined],
      ['/v1/agents/data-agent?wait=all', '"7.x"', undefined],
      ['/v1/agents/data-agent', '*', undefined],
      ['/v1/agents', undefined, 'k'],
    ]);
    expect(() => etagOf({ ...read })).toThrow('as it is here');
  });
});
