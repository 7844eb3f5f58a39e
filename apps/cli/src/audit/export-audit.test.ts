import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient, type ApiClient } from '@portcullis/api-client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { exportAudit, exportTo } from './export-audit.js';

const ids = Array.from({ length: 9 }, (_, index) => `0198c1f0-0000-7000-8000-00000000000${index}`);
const lines = ids.map((callId) => `${JSON.stringify({ callId, tool: 'x' })}\n`);
const query = { format: 'ndjson' } as const;

let server: Server;
let api: ApiClient;
let directory: string;
/** After so many lines of an answer the connection breaks, in the middle of the next one. */
let breaks: number[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-export-'));
  server = createServer((request, response) => {
    const after = new URL(request.url ?? '', 'http://x').searchParams.get('after');
    const rest = lines.slice(after === null ? 0 : ids.indexOf(after) + 1);
    const most = breaks.shift();
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    if (most === undefined || most >= rest.length) return void response.end(rest.join(''));
    response.write(`${rest.slice(0, most).join('')}${rest[most]?.slice(0, 20) ?? ''}`, () => setImmediate(() => response.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = createApiClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'op_token' });
});
beforeEach(() => {
  breaks = [];
});
afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

test('an export that breaks off is taken up again: every call is written once', async () => {
  breaks = [4];
  const written: string[] = [];
  const said: string[] = [];
  const sink = { write: async (records: Uint8Array) => void written.push(Buffer.from(records).toString()) };
  await exportTo({ query, sink }, api, (line) => said.push(line));
  expect(written.join('')).toBe(lines.join(''));
  expect(said).toHaveLength(1);
});

test('a file that was left unfinished is cut behind its last whole call and completed', async () => {
  const out = join(directory, 'left.ndjson');
  await writeFile(out, `${lines.slice(0, 5).join('')}${lines[5]?.slice(0, 10) ?? ''}`);
  await exportAudit({ query, out, resume: true }, api, () => undefined);
  expect(await readFile(out, 'utf8')).toBe(lines.join(''));
});

test('a file that exists is left alone unless it is to be resumed, and one that holds no export is not resumed', async () => {
  const out = join(directory, 'mine.txt');
  await writeFile(out, 'dear diary\n');
  await expect(exportAudit({ query, out, resume: false }, api, () => undefined)).rejects.toThrow('exists. Give --resume');
  await expect(exportAudit({ query, out, resume: true }, api, () => undefined)).rejects.toThrow('no whole call');
  expect(await readFile(out, 'utf8')).toBe('dear diary\n');
});

test('what was called with what is in a file that nobody else may read', async () => {
  const out = join(directory, 'private.ndjson');
  await exportAudit({ query, out, resume: false }, api, () => undefined);
  expect((await stat(out)).mode & 0o777).toBe(0o600);
});
