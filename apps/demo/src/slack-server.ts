import { McpServer, type CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { modernEndpoint } from './modern-endpoint.js';
import { serveLoopback, type RunningServer } from './serve-loopback.js';

const message = z.object({ ts: z.string().describe('Time in seconds since 1970; names the message within its channel'), text: z.string() });
const channel = z.object({ name: z.string(), topic: z.string(), messages: z.int(), latestMessage: message.optional() });
type Channel = z.infer<typeof channel>;

const postMessage = {
  title: 'Post message',
  description: 'Posts a message to a channel; everybody in it can read it at once.',
  inputSchema: z.object({
    channel: z.string().describe('Name of the channel, with or without #'),
    text: z.string().min(1).max(40_000).describe('What to say'),
  }),
  outputSchema: z.object({ channel: z.string(), ts: z.string() }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
};

const listChannels = {
  title: 'List channels',
  description: 'Lists channels with their topic, number of messages and the latest of them.',
  inputSchema: z.object({}),
  outputSchema: z.object({ channels: z.array(channel) }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
};

function seed(): Map<string, Channel> {
  const channels = [
    ['general', 'Company-wide announcements'],
    ['engineering', 'Builds, reviews, releases'],
    ['incidents', 'What is broken now'],
  ] as const;
  return new Map(channels.map(([name, topic]) => [name, { name, topic, messages: 0 }]));
}

function structured(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

/** Slack's form of a time stamp, later than the last one even within one microsecond. */
function stampAfter(last: string | undefined): string {
  const lastMicros = last === undefined ? 0 : Math.round(Number(last) * 1e6);
  return (Math.max(Date.now() * 1000, lastMicros + 1) / 1e6).toFixed(6);
}

function buildServer(channels: Map<string, Channel>): McpServer {
  const server = new McpServer({ name: 'slack', title: 'Slack (demo)', version: '0.1.0' });
  server.registerTool('post_message', postMessage, (args) => {
    const target = channels.get(args.channel.replace(/^#/, ''));
    if (!target) return { isError: true, content: [{ type: 'text', text: `No channel ${args.channel}; list_channels names those there are.` }] };
    const ts = stampAfter(target.latestMessage?.ts);
    target.messages += 1;
    target.latestMessage = { ts, text: args.text };
    return structured({ channel: target.name, ts });
  });
  server.registerTool('list_channels', listChannels, () => structured({ channels: [...channels.values()] }));
  return server;
}

/** The demo's `slack`: of 2026-07-28 only, without sessions. Messages live in memory and are counted per channel. */
export function startSlack(port: number): Promise<RunningServer> {
  const channels = seed();
  return serveLoopback(
    modernEndpoint(() => buildServer(channels), 'reject'),
    port,
  );
}
