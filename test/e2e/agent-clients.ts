import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** An agent at one endpoint of one node. */
export interface AgentAt {
  readonly url: string;
  readonly key: string;
}

const identity = { name: 'test', version: '1' };
const bearer = ({ key }: AgentAt) => ({ requestInit: { headers: { authorization: `Bearer ${key}` } } });

/** The official SDK v1, which knows the legacy era only and opens a session. */
export async function connectLegacy(agent: AgentAt): Promise<LegacyClient> {
  const client = new LegacyClient(identity);
  await client.connect(new LegacyTransport(new URL(agent.url), bearer(agent)));
  return client;
}

/** The official SDK v2, which finds out the era by itself. */
export async function connectModern(agent: AgentAt): Promise<Client> {
  const client = new Client(identity, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(agent.url), bearer(agent)));
  return client;
}

const inspectorBin = fileURLToPath(new URL('../../node_modules/.bin/mcp-inspector', import.meta.url));

/** The official inspector's command line: the result it prints. Rejects with what it says when it fails. */
export function inspect(
  agent: AgentAt,
  era: 'legacy' | 'modern',
  args: readonly string[],
): Promise<{ tools?: { name: string }[]; content?: unknown }> {
  const all = ['--cli', agent.url, '--transport', 'http', '--protocol-era', era, '--header', `Authorization: Bearer ${agent.key}`];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [inspectorBin, ...all, '--format', 'json', '--quiet', ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      if (error) return reject(new Error(`The inspector failed: ${stderr.trim() || error.message}`));
      resolve((JSON.parse(stdout) as { result: { tools?: { name: string }[] } }).result);
    });
  });
}

interface ListsTools {
  listTools(params?: { cursor?: string }): Promise<{ tools: { name: string }[]; nextCursor?: string | undefined }>;
}

/** Names of all tools that a client sees, in order of the alphabet. */
export async function namesSeenBy(client: ListsTools): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await client.listTools(cursor === undefined ? {} : { cursor });
    names.push(...page.tools.map(({ name }) => name));
    cursor = page.nextCursor;
  }
  return names.sort();
}
