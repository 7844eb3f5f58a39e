import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startGithub } from './github-server.js';
import type { RunningServer } from './serve-loopback.js';

let github: RunningServer;
let client: Client;

beforeEach(async () => {
  github = await startGithub(0);
  client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(github.url)));
});
afterEach(async () => {
  await client.close();
  await github.close();
});

describe('github', () => {
  test('offers its two tools with titles, hints and output schemas', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['create_issue', 'list_repos']);
    for (const tool of tools) expect(tool).toMatchObject({ title: expect.any(String), outputSchema: { type: 'object' } });
    expect(tools[0]?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: false });
    expect(tools[1]?.annotations).toMatchObject({ readOnlyHint: true });
  });

  test('an issue created in one session is listed back in another', async () => {
    const created = await client.callTool({ name: 'create_issue', arguments: { repo: 'acme/storefront', title: 'Basket loses items' } });
    const issue = { number: 1, title: 'Basket loses items', url: 'https://github.example/acme/storefront/issues/1' };
    expect(created.structuredContent).toEqual(issue);

    const other = new Client({ name: 'other', version: '1' });
    await other.connect(new StreamableHTTPClientTransport(new URL(github.url)));
    const listed = await other.callTool({ name: 'list_repos', arguments: { org: 'acme' } });
    await other.close();
    expect(listed.structuredContent).toMatchObject({
      repos: [
        { name: 'acme/storefront', openIssues: 1, latestIssues: [issue] },
        { name: 'acme/payments', openIssues: 0, latestIssues: [] },
      ],
    });
  });

  test('an unknown repository is an error of the tool', async () => {
    const answer = await client.callTool({ name: 'create_issue', arguments: { repo: 'acme/nowhere', title: 'x' } });
    expect(answer.isError).toBe(true);
  });

  test('refuses a client that speaks 2026-07-28 only', async () => {
    const modern = new ModernClient({ name: 'modern', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    await expect(modern.connect(new ModernTransport(new URL(github.url)))).rejects.toThrow('2026-07-28');
  });

  test('is recognised as legacy by a client that speaks both eras', async () => {
    const both = new ModernClient({ name: 'both', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await both.connect(new ModernTransport(new URL(github.url)));
    expect((await both.listTools()).tools).toHaveLength(2);
    expect(both.getNegotiatedProtocolVersion()).toBe('2025-11-25');
    await both.close();
  });

  test('an unknown session is answered 404, so that the client starts anew', async () => {
    const answer = await fetch(github.url, { method: 'POST', headers: { 'mcp-session-id': 'gone' }, body: '{}' });
    expect(answer.status).toBe(404);
  });
});
