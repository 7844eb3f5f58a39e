import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** A real MCP server on loopback whose tools can change while it runs. All of them say back their `text`, but for `fail`, at which they fail. */
export interface TestServer {
  readonly url: string;
  /** Descriptions by name; set to change what is offered. */
  readonly tools: Map<string, string>;
  /** What it says for all of them; set to change it. */
  instructions: string | undefined;
  /** The `text` of every call that ran, in order. */
  readonly ran: string[];
  /** Lets calls begin but not end until what it gives is called. */
  hold(): () => void;
  /** Tells whoever listens that the tools have changed. */
  sayChanged(): void;
  close(): Promise<void>;
}

/** Serves both protocol eras, or 2026-07-28 alone, by the official SDK. */
export async function startTestServer(names: readonly string[], legacy: 'stateless' | 'reject' = 'stateless'): Promise<TestServer> {
  const tools = new Map(names.map((name) => [name, `The tool ${name}`]));
  const ran: string[] = [];
  let held: Promise<void> = Promise.resolve();
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  const about: Pick<TestServer, 'instructions'> = { instructions: undefined };
  const build = (): McpServer => {
    const server = new McpServer({ name: 'test', version: '1' }, about.instructions === undefined ? {} : { instructions: about.instructions });
    for (const [name, description] of tools)
      server.registerTool(name, { description, inputSchema: z.object({ text: z.string() }) }, async ({ text }) => {
        ran.push(text);
        await held;
        if (text === 'fail') throw new Error('It failed');
        return { content: [{ type: 'text', text: `${name}: ${text}` }] };
      });
    return server;
  };
  const handler = createMcpHandler(build, { legacy });
  const handle = toNodeHandler(handler);
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    server.closeAllConnections();
    await handler.close();
    await closed;
  };
  return Object.assign(about, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    tools,
    ran,
    hold,
    sayChanged: () => handler.notify.toolsChanged(),
    close,
  });
}
