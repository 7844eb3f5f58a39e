import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { legacyEndpoint } from './legacy-endpoint.js';
import { serveLoopback, type RunningServer } from './serve-loopback.js';

const issue = z.object({ number: z.int(), title: z.string(), url: z.url() });
const repo = z.object({ name: z.string(), description: z.string(), openIssues: z.int(), latestIssues: z.array(issue) });
type Repo = z.infer<typeof repo>;

const latestIssuesMax = 5;

const createIssue = {
  title: 'Create issue',
  description: 'Opens an issue in a repository and answers with its number and address.',
  inputSchema: {
    repo: z.string().describe('The repository as owner/name, for example acme/storefront'),
    title: z.string().min(1).max(256).describe('One line that says what is wrong or wanted'),
    body: z.string().max(65_536).optional().describe('The issue in Markdown'),
  },
  outputSchema: issue.shape,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
};

const listRepos = {
  title: 'List repositories',
  description: 'Lists repositories with their number of open issues and the latest of them.',
  inputSchema: { org: z.string().optional().describe('Only repositories of this owner') },
  outputSchema: { repos: z.array(repo) },
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
};

function seed(): Map<string, Repo> {
  const repos = [
    ['acme/storefront', 'The web shop'],
    ['acme/payments', 'Takes the money'],
    ['globex/reports', 'Monthly figures'],
  ] as const;
  return new Map(repos.map(([name, description]) => [name, { name, description, openIssues: 0, latestIssues: [] }]));
}

function structured(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

function buildServer(repos: Map<string, Repo>): McpServer {
  const server = new McpServer({ name: 'github', title: 'GitHub (demo)', version: '0.1.0' });
  server.registerTool('create_issue', createIssue, (args) => {
    const target = repos.get(args.repo);
    if (!target) return { isError: true, content: [{ type: 'text', text: `No repository ${args.repo}; list_repos names those there are.` }] };
    target.openIssues += 1;
    const number = target.openIssues;
    const created = { number, title: args.title, url: `https://github.example/${target.name}/issues/${number}` };
    target.latestIssues = [created, ...target.latestIssues].slice(0, latestIssuesMax);
    return structured(created);
  });
  server.registerTool('list_repos', listRepos, ({ org }) =>
    structured({ repos: [...repos.values()].filter(({ name }) => org === undefined || name.startsWith(`${org}/`)) }),
  );
  return server;
}

/** The demo's `github`: of the older protocol era only, with sessions. Issues live in memory and are listed back. */
export function startGithub(port: number): Promise<RunningServer> {
  const repos = seed();
  return serveLoopback(
    legacyEndpoint(() => ({ server: buildServer(repos) })),
    port,
  );
}
