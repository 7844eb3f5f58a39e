import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, test } from 'vitest';
import { startEverything } from './everything-server.js';

test('the official reference server lists its tools and echoes', async () => {
  const server = await startEverything(0);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain('echo');
  const answer = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  expect(answer.content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
  await client.close();
  await server.close();
});
