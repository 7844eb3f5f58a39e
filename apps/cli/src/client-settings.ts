/** Ready-to-paste settings with which the usual clients reach a node as an agent. */
export function clientSettings(mcpUrl: string, key: string): string {
  const bearer = `Bearer ${key}`;
  const headers = { Authorization: bearer };
  const remote = {
    command: 'npx',
    // No blank inside an argument: some clients split there.
    args: ['-y', 'mcp-remote', mcpUrl, '--header', 'Authorization:${PORTCULLIS_AUTH}'],
    env: { PORTCULLIS_AUTH: bearer },
  };
  return [
    'Claude Code:',
    `  claude mcp add --transport http portcullis ${mcpUrl} --header "Authorization: ${bearer}"`,
    'Cursor (~/.cursor/mcp.json):',
    `  ${JSON.stringify({ mcpServers: { portcullis: { url: mcpUrl, headers } } })}`,
    'VS Code (.vscode/mcp.json):',
    `  ${JSON.stringify({ servers: { portcullis: { type: 'http', url: mcpUrl, headers } } })}`,
    'Claude Desktop and other clients that only know stdio, through mcp-remote:',
    `  ${JSON.stringify({ mcpServers: { portcullis: remote } })}`,
  ].join('\n');
}

/**
 * Whether an address may stand in a command for a shell as it is. What nodes say of themselves ends up there, in front of somebody who copies it; a node
 * that fell into wrong hands says what it likes.
 */
export const isPlainAddress = (url: string): boolean => /^https?:\/\/[\w.:[\]-]{1,300}(?:\/[\w./~-]{0,300})?$/.test(url);

/** A command that shows what an agent sees. */
export const tryCommand = (mcpUrl: string, key: string): string =>
  `npx mcp-inspector --cli ${mcpUrl} --transport http --header "Authorization: Bearer ${key}" --method tools/list`;
