import { expect } from 'vitest';
import type { TestApp } from './start-test-app.js';

export interface ToolsOfServer {
  readonly tags?: readonly string[];
  /** Names of tools that are approved, and of tools that wait. */
  readonly approved?: readonly string[];
  readonly pending?: readonly string[];
  readonly description?: string;
}

/** Registers a server and writes down what discovery would have found of it. Gives its id. */
export async function registerWithTools(own: TestApp, slug: string, tools: ToolsOfServer): Promise<string> {
  const { tags = [], approved = [], pending = [], description } = tools;
  const { body, text } = await own.call('POST', '/v1/servers', { slug, url: `https://${slug}.example.com/mcp`, tags });
  expect(body.slug, text).toBe(slug);
  const rowOf = (name: string) => {
    const json = Buffer.from(JSON.stringify({ name, ...(description !== undefined && { description }), inputSchema: { type: 'object' } }));
    return { serverId: body.id as string, kind: 'tool' as const, name, json, hash: `h-${name}` };
  };
  const rows = [
    ...approved.map(rowOf).map((row) => ({ ...row, state: 'approved' as const, approvedJson: row.json, approvedHash: row.hash })),
    ...pending.map(rowOf),
  ];
  await own.database.definition.createMany({ data: rows });
  return body.id;
}
