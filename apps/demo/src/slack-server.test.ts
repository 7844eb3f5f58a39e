import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from './serve-loopback.js';
import { startSlack } from './slack-server.js';

let slack: RunningServer;
let client: Client;

beforeEach(async () => {
  slack = await startSlack(0);
  client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(slack.url)));
});
afterEach(async () => {
  await client.close();
  await slack.close();
});

describe('slack', () => {
  test('offers its two tools with titles, hints and output schemas', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['post_message', 'list_channels']);
    for (const tool of tools) expect(tool).toMatchObject({ title: expect.any(String), outputSchema: { type: 'object' } });
    expect(tools[0]?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: false });
    expect(tools[1]?.annotations).toMatchObject({ readOnlyHint: true });
  });

  test('a posted message is counted in its channel, and two never share a time stamp', async () => {
    const post = async () => (await client.callTool({ name: 'post_message', arguments: { channel: '#general', text: 'Hello' } })).structuredContent;
    const [first, second] = [await post(), await post()];
    expect(first).toMatchObject({ channel: 'general', ts: expect.stringMatching(/^\d+\.\d{6}$/) });
    expect(second).not.toEqual(first);
    const listed = await client.callTool({ name: 'list_channels', arguments: {} });
    expect(listed.structuredContent).toMatchObject({ channels: [{ name: 'general', messages: 2, latestMessage: { text: 'Hello' } }, {}, {}] });
  });

  test('an unknown channel is an error of the tool', async () => {
    const answer = await client.callTool({ name: 'post_message', arguments: { channel: 'nowhere', text: 'x' } });
    expect(answer.isError).toBe(true);
  });

  test('a client that negotiates ends up on 2026-07-28', async () => {
    const auto = new Client({ name: 'auto', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await auto.connect(new StreamableHTTPClientTransport(new URL(slack.url)));
    expect(auto.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    await auto.close();
  });

  test('refuses the handshake of the older era and names the revision it speaks', async () => {
    const legacy = new LegacyClient({ name: 'legacy', version: '1' });
    await expect(legacy.connect(new LegacyTransport(new URL(slack.url)))).rejects.toThrow('2026-07-28');
  });
});
