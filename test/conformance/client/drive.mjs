// What the suite starts as a "client": it registers the suite's server, and does through a node what the scenario asks of a client.
//   node drive.mjs <server URL>
// The stack is there already: DRIVE_CONTROL_PLANE_URL, DRIVE_OPERATOR_TOKEN, DRIVE_GATEWAY_URL.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createApiClient } from '@portcullis/api-client';
import { grantEverything } from '../../local-stack/grant-everything.mjs';
import { scenarios } from './scenarios.mjs';

const { DRIVE_CONTROL_PLANE_URL: baseUrl, DRIVE_OPERATOR_TOKEN: token, DRIVE_GATEWAY_URL: gatewayUrl } = process.env;
const { MCP_CONFORMANCE_SCENARIO: name, MCP_CONFORMANCE_PROTOCOL_VERSION: revision, MCP_CONFORMANCE_CONTEXT: context = '{}' } = process.env;

const scenario = scenarios[revision]?.[name];
if (scenario === undefined) throw new Error(`${name} of ${revision} is not among the scenarios that apply`);
const slug = `client-${process.pid}`;
const api = createApiClient({ baseUrl, token });
const key = await grantEverything(api, { slug, url: process.argv.at(-1), protocol: scenario.protocol, agent: slug });

const mode = revision === '2026-07-28' ? { pin: revision } : 'legacy';
const client = new Client(
  { name: 'portcullis-conformance', version: '1.0.0' },
  { capabilities: scenario.capabilities ?? {}, versionNegotiation: { mode } },
);
scenario.prepare?.(client);
const transport = new StreamableHTTPClientTransport(new URL(`${gatewayUrl}/servers/${slug}/mcp`), {
  requestInit: { headers: { authorization: `Bearer ${key}` } },
});
await client.connect(transport);
await scenario.run(client, JSON.parse(context));
await client.close();
// The session of discovery may still be open at a server that waits for its end.
process.exit(0);
