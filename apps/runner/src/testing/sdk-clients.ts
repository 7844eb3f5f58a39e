import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ACCESS_TOKEN } from './test-runner.js';

const INFO = { name: 'test', version: '1' };
const headersOf = (agentId: string) => ({ requestInit: { headers: { authorization: `Bearer ${ACCESS_TOKEN}`, 'portcullis-agent': agentId } } });

/** The SDK's client of the older era, at a server of a runner. */
export async function legacyClient(url: string, agentId = 'agent-1'): Promise<LegacyClient> {
  const client = new LegacyClient(INFO);
  await client.connect(new LegacyTransport(new URL(url), headersOf(agentId)) as Parameters<LegacyClient['connect']>[0]);
  return client;
}

/** The SDK's client that finds out which era a server speaks. */
export async function modernClient(url: string, agentId = 'agent-1'): Promise<ModernClient> {
  const client = new ModernClient(INFO, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(new URL(url), headersOf(agentId)));
  return client;
}
