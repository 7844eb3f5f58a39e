import { clientSettings, tryCommand } from '../client-settings.js';
import type { Tokens } from '../tokens-file.js';

/** A stack that is ready. */
export interface ReadyStack extends Tokens {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly pids: Readonly<Record<string, number>>;
}

/** The one line that programs read. */
export function stackAsJson({ controlPlaneUrl, gatewayUrls, operatorToken, databaseUrl, redisUrl, pids, agents }: ReadyStack): string {
  return JSON.stringify({ controlPlaneUrl, gatewayUrls, operatorToken, databaseUrl, redisUrl, pids, agents });
}

/** What a person reads: addresses, tokens, a command to try, and settings for clients. */
export function describeStack(stack: ReadyStack, dataDirectory: string): string {
  const mcpUrls = stack.gatewayUrls.map((url) => `${url}/mcp`);
  const entries = Object.entries(stack.agents);
  const [example] = entries;
  const mcpUrl = mcpUrls[0] ?? '';
  const width = Math.max(17, ...entries.map(([slug]) => slug.length));
  const row = (name: string, value: string): string => `  ${name.padEnd(width)}  ${value}`;
  const key = example?.[1] ?? '<key of an agent>';
  return [
    '',
    'Portcullis is ready.',
    '',
    row('control plane', stack.controlPlaneUrl),
    ...mcpUrls.map((url, index) => row(index === 0 ? 'agents connect to' : '', url)),
    row('operator token', stack.operatorToken),
    ...entries.map(([slug, agentKey]) => row(slug, agentKey)),
    row('data, logs', dataDirectory),
    '',
    ...(example === undefined ? firstSteps(stack) : ['Try it: what does an agent see?', `  ${tryCommand(mcpUrl, key)}`]),
    '',
    `Settings for clients${example === undefined ? '' : `, as ${example[0]}`}:`,
    ...clientSettings(mcpUrl, key)
      .split('\n')
      .map((line) => `  ${line}`),
    '',
    'Ctrl-C ends it. The tokens stay in tokens.json of the data directory.',
    '',
  ].join('\n');
}

const firstSteps = ({ controlPlaneUrl, operatorToken }: ReadyStack): string[] => [
  'Put a server of your own to use:',
  '  npx portcullis add http://127.0.0.1:3001/mcp --agent my-agent',
  'Ask the control plane:',
  `  curl -H "Authorization: Bearer ${operatorToken}" ${controlPlaneUrl}/v1/servers`,
];
