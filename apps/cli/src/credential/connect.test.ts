import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Credential } from '@portcullis/contracts/api/credentials';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { readEnvironment } from '../config.js';
import { createProgram } from '../create-program.js';

const id = '01990000-0000-7000-8000-000000000001';
const at = '2026-11-22T12:00:00.000Z';
const credential: Credential = {
  id,
  server: 'github',
  agent: null,
  kind: 'authorization-code',
  version: 1,
  hasSecret: true,
  status: 'ready',
  statusReason: null,
  headers: [],
  variables: [],
  oauth: null,
  connectedAt: at,
  connectedBy: 'admin',
  tokenExpiresAt: null,
  createdBy: 'admin',
  createdAt: at,
  updatedAt: at,
  next: [],
};
const state = 's'.repeat(43);

let controlPlane: Server;
let url = '';
let asked: { readonly path: string | undefined; readonly token: string | undefined; readonly body: unknown }[];
let printed = '';

beforeEach(async () => {
  [asked, printed] = [[], ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((said) => {
    printed += String(said);
    return true;
  });
  controlPlane = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ path: request.url, token: request.headers.authorization, body: JSON.parse(body) });
      const begun = { authorizationUrl: `https://as.example.com/authorize?state=${state}`, redirectUri: JSON.parse(body).redirectUri, expiresAt: at };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(request.url?.endsWith('/connect') === true ? begun : credential));
    });
  });
  await new Promise<void>((resolve) => {
    controlPlane.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${String((controlPlane.address() as AddressInfo).port)}`;
});
afterEach(() => {
  vi.restoreAllMocks();
  controlPlane.closeAllConnections();
  controlPlane.close();
});

const run = (...argv: string[]): Promise<number> =>
  createProgram(readEnvironment({})).run(['node', 'portcullis', 'credential', ...argv, '--url', url, '--token', 'op_x']);

test('a connection is made by a browser that comes back to this machine, with the operator’s own token', async () => {
  const done = run('connect', id);
  await vi.waitFor(() => expect(printed).toContain('https://as.example.com/authorize'), 10_000);
  const { redirectUri } = z.object({ redirectUri: z.string() }).parse(asked[0]?.body);
  expect(redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  expect((await fetch(new URL('/favicon.ico', redirectUri))).status).toBe(404);
  const page = await fetch(`${redirectUri}?state=${state}&code=canary-code&iss=https%3A%2F%2Fas.example.com`);
  expect([page.status, await page.text()]).toEqual([200, expect.not.stringContaining('canary-code')]);
  expect(await done).toBe(0);
  expect(asked[1]).toEqual({
    path: `/v1/credentials/${id}/connection`,
    token: 'Bearer op_x',
    body: { state, code: 'canary-code', iss: 'https://as.example.com' },
  });
  expect(printed).toContain('github: authorization-code; ready');
  expect(printed).not.toContain('canary-code');
  await expect(fetch(redirectUri)).rejects.toThrow('fetch failed'); // nobody listens any more
});

test('a browser elsewhere is helped by the address that it came back to, and a refusal is told in its own word alone', async () => {
  await run('finish', id, `https://portcullis.example.com/oauth/callback?state=${state}&code=c`);
  expect(asked).toEqual([{ path: `/v1/credentials/${id}/connection`, token: 'Bearer op_x', body: { state, code: 'c' } }]);
  await expect(run('finish', id, `https://x.example.com/?error=access_denied&error_description=%1b%5b31mred`)).rejects.toThrow(
    'refused: access_denied',
  );
  await expect(run('finish', id, `https://x.example.com/?error=%1b%5b31mred`)).rejects.toThrow('no reason that can be shown');
  await expect(run('finish', id, 'https://x.example.com/')).rejects.toThrow('no answer');
  expect(asked.length).toBe(1);
});
