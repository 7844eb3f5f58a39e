import { randomUUID } from 'node:crypto';
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListRootsResultSchema,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, inputRequired, McpServer as ModernServer, type InputRequiredResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { listenLoopback } from './listen-loopback.js';
import { aDefinition, aTool } from './policy-builders.js';

/** A real MCP server whose every tool asks its client something. */
export interface AskingServer {
  readonly url: string;
  /** Every message it was sent, as text. */
  readonly bodies: string[];
  /** What it was told outside of calls. */
  readonly told?: unknown[];
  /** Streams of sessions that are open. */
  readonly streams?: () => number;
  readonly close: () => Promise<void>;
}

/** Beside what these ask they differ in nothing: a tool says what it was told. */
const askingTools = ['form', 'url', 'unsafe', 'sampling', 'roots', 'twice'].map((name) => aTool(name));
/** Of the legacy server alone: they use its session's own stream, or take back what they asked. */
const apartTools = ['apart', 'apart-sampling', 'apart-roots', 'afterwards', 'retract', 'completed'].map((name) => aTool(name));
export const askingDefinitions = [
  ...askingTools,
  aTool('visit'),
  aTool('stall'),
  ...apartTools,
  aDefinition('prompt', 'form'),
  aDefinition('resource', 'test://form', { uri: 'test://form' }),
];

export const form = {
  mode: 'form' as const,
  message: 'What is your name?',
  requestedSchema: { type: 'object' as const, properties: { name: { type: 'string' as const } }, required: ['name'] },
};
const address = { mode: 'url' as const, message: 'Sign in', url: 'https://server.example/sign-in' };
const unsafe = { ...address, url: 'http://server.example/sign-in' };
const prompt = { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Capital of France?' } }], maxTokens: 10 };

const said = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] });

type Ask = (method: string, params?: object) => Promise<unknown>;
interface Extra {
  // The SDK's own type is generic over each request it knows.
  readonly sendRequest: (request: never, schema: never) => Promise<unknown>;
}

const askOf =
  ({ sendRequest }: Extra): Ask =>
  (method, params) => {
    const schemas: Record<string, unknown> = {
      'elicitation/create': ElicitResultSchema,
      'sampling/createMessage': CreateMessageResultSchema,
      'roots/list': ListRootsResultSchema,
    };
    return sendRequest({ method, params } as never, schemas[method] as never);
  };

const elicitationId = 'e-1';
const legacyTools: Record<string, (ask: Ask) => Promise<unknown>> = {
  form: (ask) => ask('elicitation/create', form),
  url: (ask) => ask('elicitation/create', { ...address, elicitationId }),
  unsafe: (ask) => ask('elicitation/create', { ...unsafe, elicitationId }),
  sampling: (ask) => ask('sampling/createMessage', prompt),
  roots: (ask) => ask('roots/list'),
  twice: async (ask) => [await ask('elicitation/create', form), await ask('roots/list')],
};

/** A server of the legacy era, on SDK v1, that asks by requests on the stream of a call. */
export async function startLegacyAskingServer(): Promise<AskingServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  let visits = 0;
  const told: unknown[] = [];
  let streams = 0;
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const server = new LegacyServer({ name: 'legacy', version: '1' });
    for (const [name, run] of Object.entries(legacyTools)) server.registerTool(name, {}, async (extra) => said(await run(askOf(extra as never))));
    server.registerTool('stall', {}, async (extra) => {
      await askOf(extra as never)('elicitation/create', form);
      return new Promise(() => undefined);
    });
    server.registerTool('visit', {}, () => {
      visits += 1;
      if (visits % 2 === 1) throw new UrlElicitationRequiredError([{ ...address, elicitationId }]);
      return said('visited');
    });
    offerApart(server, told);
    server.registerPrompt('form', {}, async (extra) => ({
      messages: [{ role: 'user', content: { type: 'text', text: JSON.stringify(await askOf(extra as never)('elicitation/create', form)) } }],
    }));
    server.registerResource('form', 'test://form', {}, async (uri, extra) => ({
      contents: [{ uri: uri.href, text: JSON.stringify(await askOf(extra as never)('elicitation/create', form)) }],
    }));
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await server.connect(transport);
    return transport;
  };
  const listening = await listen(async (request, response, body) => {
    if (request.method === 'GET') {
      streams += 1;
      response.once('close', () => {
        streams -= 1;
      });
    }
    const id = request.headers['mcp-session-id'];
    const transport = typeof id === 'string' ? sessions.get(id) : await open();
    if (transport === undefined) response.writeHead(404).end();
    else await transport.handleRequest(request, response, body === '' ? undefined : JSON.parse(body));
  });
  return { ...listening, told, streams: () => streams };
}

/** Tools that ask outside their own answer, or take back what they asked; `told` gets what came back meanwhile. */
function offerApart(server: LegacyServer, told: unknown[]): void {
  // Without the request it belongs to, the SDK sends a message on the session's own stream.
  server.registerTool('apart', {}, async () => said(await server.server.elicitInput(form)));
  server.registerTool('apart-sampling', {}, async () => said(await server.server.createMessage(prompt)));
  server.registerTool('apart-roots', {}, async () => said(await server.server.listRoots()));
  server.registerTool('afterwards', {}, () => {
    setTimeout(() => {
      server.server.listRoots().then(
        (roots) => told.push(roots),
        (error: unknown) => told.push(String(error)),
      );
    }, 50);
    return said('at once');
  });
  server.registerTool('retract', {}, async (extra) => {
    const asking = new AbortController();
    const asked = extra.sendRequest({ method: 'elicitation/create', params: form }, ElicitResultSchema, { signal: asking.signal });
    setTimeout(() => asking.abort(), 200);
    return said(
      await asked.catch(() => {
        told.push('retracted');
        return 'retracted';
      }),
    );
  });
  server.registerTool('completed', {}, async (extra) => {
    await extra.sendNotification({ method: 'notifications/elicitation/complete', params: { elicitationId: 'on the call' } });
    await server.server.notification({ method: 'notifications/elicitation/complete', params: { elicitationId: 'apart' } });
    return said('completed');
  });
}

const once = { key: 'answer' };
const STATE = 'state of the server, "as it is"  ';

/** A server of 2026-07-28, on SDK v2, that asks by `input_required`. */
export async function startModernAskingServer(): Promise<AskingServer> {
  const requests: Record<string, () => InputRequiredResult> = {
    form: () => inputRequired({ inputRequests: { [once.key]: inputRequired.elicit(form) }, requestState: STATE }),
    url: () => inputRequired({ inputRequests: { [once.key]: inputRequired.elicitUrl(address) }, requestState: STATE }),
    unsafe: () => inputRequired({ inputRequests: { [once.key]: inputRequired.elicitUrl(unsafe) }, requestState: STATE }),
    sampling: () => inputRequired({ inputRequests: { [once.key]: inputRequired.createMessage(prompt) }, requestState: STATE }),
    roots: () => inputRequired({ inputRequests: { [once.key]: inputRequired.listRoots() }, requestState: STATE }),
  };
  interface Context {
    readonly mcpReq: { readonly inputResponses?: Record<string, unknown>; readonly requestState: () => unknown };
  }
  const answered = ({ mcpReq }: Context): unknown => (mcpReq.requestState() === STATE ? mcpReq.inputResponses?.[once.key] : undefined);
  const build = (): ModernServer => {
    const server = new ModernServer({ name: 'modern', version: '1' });
    for (const [name, ask] of Object.entries(requests))
      server.registerTool(name, { inputSchema: z.object({}).loose() }, (_args, context) => {
        const answer = answered(context as never);
        return answer === undefined ? ask() : said(answer);
      });
    server.registerTool('twice', { inputSchema: z.object({}) }, (_args, context) => {
      const { mcpReq } = context as unknown as Context;
      const { first, second } = mcpReq.inputResponses ?? {};
      if (second !== undefined) return said([mcpReq.requestState(), second]);
      if (first !== undefined) return inputRequired({ inputRequests: { second: inputRequired.listRoots() }, requestState: JSON.stringify(first) });
      return inputRequired({ inputRequests: { first: inputRequired.elicit(form) } });
    });
    server.registerPrompt('form', {}, (context) => {
      const answer = answered(context as never);
      if (answer === undefined) return requests['form']?.() as never;
      return { messages: [{ role: 'user', content: { type: 'text', text: JSON.stringify(answer) } }] };
    });
    server.registerResource('form', 'test://form', {}, (uri, context) => {
      const answer = answered(context as never);
      if (answer === undefined) return requests['form']?.() as never;
      return { contents: [{ uri: uri.href, text: JSON.stringify(answer) }] };
    });
    return server;
  };
  const handle = toNodeHandler(createMcpHandler(build, { legacy: 'reject' }));
  return listen((request, response, body) => handle(request, response, JSON.parse(body)));
}

/** Both of the above at one address; the newer era is told by its header. */
export async function startBothErasAskingServer(): Promise<AskingServer> {
  const [older, newer] = await Promise.all([startLegacyAskingServer(), startModernAskingServer()]);
  const relay = await listen((request, response, body) => {
    const to = request.headers['mcp-protocol-version'] === '2026-07-28' ? newer : older;
    const onward = send(to.url, { method: request.method ?? 'GET', headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    onward.end(body);
    return Promise.resolve();
  });
  const close = async (): Promise<void> => void (await Promise.all([relay, older, newer].map((one) => one.close())));
  return { ...relay, close };
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void>): Promise<AskingServer> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      if (body !== '') bodies.push(body);
      await handle(request, response, body);
    })();
  });
  const { url, close } = await listenLoopback(server);
  return { url: `${url}/mcp`, bodies, close };
}
