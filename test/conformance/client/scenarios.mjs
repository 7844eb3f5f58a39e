/** Calls every tool once, with what these say or nothing. */
async function callEachTool(client, args = {}) {
  const { tools } = await client.listTools();
  for (const { name } of tools) await client.callTool({ name, arguments: args[name] ?? {} });
}

async function useEverything(client) {
  await callEachTool(client);
  const { prompts } = await client.listPrompts();
  for (const { name } of prompts) await client.getPrompt({ name });
  const { resources } = await client.listResources();
  for (const { uri } of resources) await client.readResource({ uri });
}

const add = (client) => client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } });

async function echoSchema(client) {
  const { tools } = await client.listTools();
  const { inputSchema } = tools.find(({ name }) => name === 'json_schema_2020_12_tool');
  await client.callTool({ name: 'json_schema_echo', arguments: { schema: inputSchema } });
}

const answersForms = {
  capabilities: { elicitation: { form: { applyDefaults: true } } },
  prepare: (client) => client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} })),
};
const confirms = {
  capabilities: { elicitation: {} },
  prepare: (client) => client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { confirmed: true } })),
};

/**
 * What the suite asks of a client that applies to a node's side towards servers, by revision: the operator's pin for the server (its mocks of the newer
 * era do not all answer `server/discover`), and what an agent does.
 */
export const scenarios = {
  '2025-11-25': {
    initialize: { protocol: 'auto', run: (client) => client.listTools() },
    tools_call: { protocol: 'auto', run: add },
    'elicitation-sep1034-client-defaults': { protocol: 'auto', ...answersForms, run: callEachTool },
    'sse-retry': { protocol: 'auto', run: callEachTool },
    'json-schema-2020-12-preservation': { protocol: 'auto', run: echoSchema },
  },
  '2026-07-28': {
    tools_call: { protocol: 'auto', run: add },
    'request-metadata': { protocol: 'modern', run: callEachTool },
    'sep-2322-client-request-state': { protocol: 'modern', ...confirms, run: callEachTool },
    'http-standard-headers': { protocol: 'modern', run: useEverything },
    'http-custom-headers': {
      protocol: 'modern',
      run: async (client, { toolCalls }) => {
        await client.listTools();
        for (const call of toolCalls) await client.callTool(call);
      },
    },
    'http-invalid-tool-headers': { protocol: 'modern', run: callEachTool },
    'json-schema-ref-no-deref': { protocol: 'auto', run: (client) => client.listTools() },
    'json-schema-2020-12-preservation': { protocol: 'auto', run: echoSchema },
  },
};

/** Scenarios that say nothing of a node's side towards servers, and why. */
export const notOfNodes = [
  {
    scenario: /^auth\//,
    reason: 'A node is no OAuth client: servers get credentials that an operator has stored, and never the token of an agent.',
  },
];
