import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditVerification } from '@portcullis/contracts/api/audit-proof';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { portcullis } from './portcullis-command.js';
import { messageIn, sendMcp } from './raw-mcp.js';
import { grantedAgent, registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('proven');
const connection = { PORTCULLIS_URL: stack.controlPlaneUrl, PORTCULLIS_TOKEN: stack.operatorToken };

let server: TestServer;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-proof-'));
  server = await startTestServer(['work']);
  await registerServer(api, slug, server.url);
  const key = await grantedAgent(api, { agent: slug, server: slug, names: ['work'] });
  for (const url of stack.gatewayUrls) {
    const answer = await sendMcp(`${url}/mcp`, {
      key,
      era: 'modern',
      method: 'tools/call',
      params: { name: `${slug}__work`, arguments: { text: 'x' } },
    });
    if (messageIn(answer).error !== undefined) throw new Error('The call was refused');
  }
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

/** In a time in which other tests make calls, too. */
const verified = async (): Promise<AuditVerification> => {
  for await (const line of api.audit.verify()) if (line.type === 'result') return line.result;
  throw new Error('no result');
};

test(
  'what nodes recorded is sealed and linked as they signed it, and is verified by the command, here and elsewhere',
  { timeout: 90_000 },
  async () => {
    await vi.waitFor(async () => expect((await verified()).links.checked).toBeGreaterThanOrEqual(stack.gatewayUrls.length), {
      timeout: 60_000,
      interval: 1000,
    });
    const there = await portcullis(['audit', 'verify'], connection);
    expect([0, 3]).toContain(there.code);
    expect(there.stdout).toMatch(/links signed by nodes[^]*(?:VERIFIED|UNANCHORED)/);
    const [file, keys] = [join(directory, 'proof.ndjson'), join(directory, 'keys.json')];
    expect(await portcullis(['audit', 'proof', '--out', file], connection)).toMatchObject({ code: 0, stderr: '' });
    await writeFile(keys, (await portcullis(['audit', 'keys'], connection)).stdout);
    const elsewhere = await portcullis(['audit', 'verify', '--file', file, '--keys', keys, '--json']);
    expect(AuditVerification.parse(JSON.parse(elsewhere.stdout))).toMatchObject({ verdict: 'unanchored', findings: [], unhashedEvents: 0 });
    expect(elsewhere.code).toBe(3);
  },
);

test('a proof that somebody changed fails, and says where', { timeout: 90_000 }, async () => {
  const [file, keys] = [join(directory, 'changed.ndjson'), join(directory, 'these-keys.json')];
  // Calls of a moment ago may not be sealed yet.
  const text = await vi.waitFor(
    async () => {
      await rm(file, { force: true });
      await portcullis(['audit', 'proof', '--out', file], connection);
      const proof = await readFile(file, 'utf8');
      expect(proof).toContain(`"agent":"${slug}"`);
      return proof;
    },
    { timeout: 60_000, interval: 1000 },
  );
  await writeFile(keys, (await portcullis(['audit', 'keys'], connection)).stdout);
  await writeFile(file, text.replace(`"agent":"${slug}"`, '"agent":"somebody-else"'));
  const { code, stdout } = await portcullis(['audit', 'verify', '--file', file, '--keys', keys]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/row_altered: block \d+, gateway-\d/);
});
