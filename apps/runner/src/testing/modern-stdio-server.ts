// A server of the stateless era over stdio, on the SDK, for tests. Run by Node as it is.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const cancelled: string[] = [];
const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] });

serveStdio(() => {
  const server = new McpServer({ name: 'modern-stdio', version: '1' }, { capabilities: { tools: { listChanged: true } } });
  server.registerTool('echo', { inputSchema: z.object({ value: z.unknown() }) }, ({ value }) => text(value));
  server.registerTool('crash', { inputSchema: z.object({}) }, () => process.exit(3));
  server.registerTool('cancelled', { inputSchema: z.object({}) }, () => text(cancelled));
  server.registerTool('change', { inputSchema: z.object({}) }, () => {
    server.sendToolListChanged();
    return text('changed');
  });
  server.registerTool('count', { inputSchema: z.object({}) }, async (_args, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken !== undefined) {
      for (let progress = 1; progress <= 3; progress += 1) {
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
      }
    }
    return text(3);
  });
  server.registerTool('wait', { inputSchema: z.object({ name: z.string() }) }, async ({ name }, { mcpReq }) => {
    await new Promise<void>((resolve) => {
      mcpReq.signal.addEventListener('abort', () => {
        cancelled.push(name);
        resolve();
      });
    });
    return text(name);
  });
  return server;
});
