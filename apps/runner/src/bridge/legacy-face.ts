import { createHash } from 'node:crypto';
import { isJsonObject, ownMember, PROTOCOL_VERSIONS, type JsonObject } from '@portcullis/mcp';
import { STDIN_BYTES_MAX } from '../spawn/child.js';
import { SHARED, type HostedServer } from '../supervise/hosted-server.js';
import type { Instance } from '../supervise/instance.js';
import { readIncoming, type Incoming } from './incoming.js';
import { LegacySessions, type LegacySession } from './legacy-session.js';
import { LegacyVoice } from './legacy-voice.js';
import { sendError, sendStatus, type McpExchange, type McpFace } from './mcp-exchange.js';
import { textAt } from './message-spans.js';
import { HttpReply, type Reply } from './reply.js';
import { errorJson, RpcFault } from './rpc-fault.js';
import { RUNNER_INFO } from './runner-info.js';

const SESSION_HEADER = 'mcp-session-id';
// The texts by which clients know that nothing has run.
const NOT_INITIALIZED = errorJson('null', { code: -32000, message: 'Bad Request: Server not initialized' });
const NOT_FOUND = errorJson('null', { code: -32001, message: 'Session not found' });
const MALFORMED = errorJson('null', { code: -32600, message: 'Invalid Request' });

/**
 * A server of the older era as Streamable HTTP with sessions. A shared child is initialised by the runner and can ask nobody anything; sessions outlive
 * it. A child of an agent's own is initialised with what that agent's client is, and its sessions end with it.
 */
export class LegacyFace implements McpFace {
  private readonly sessions: LegacySessions;
  private readonly voice: LegacyVoice;

  constructor(
    private readonly server: HostedServer,
    private readonly now: () => number,
  ) {
    this.sessions = new LegacySessions((session) => this.ended(session));
    this.voice = new LegacyVoice(this.sessions, server.parts.log, !server.isPerAgent);
  }

  async post({ request, response, agentId }: McpExchange, body: Buffer): Promise<void> {
    const message = readIncoming(body);
    if (message === undefined) return sendError(response, 400, MALFORMED);
    if (message.kind === 'request' && message.method === 'initialize') return this.initialize({ request, response, agentId }, message);
    const id = request.headers[SESSION_HEADER];
    if (id === undefined) return sendError(response, 400, NOT_INITIALIZED);
    const session = this.sessions.find(String(id), agentId, this.now());
    if (session === undefined) return sendError(response, 404, NOT_FOUND);
    if (message.kind !== 'request') {
      await this.tell(session, message);
      return sendStatus(response, 202);
    }
    return this.ask(session, message, { request, response, agentId });
  }

  async get({ request, response, agentId }: McpExchange): Promise<void> {
    const session = this.sessions.find(String(request.headers[SESSION_HEADER]), agentId, this.now());
    if (session === undefined) return sendError(response, 404, NOT_FOUND);
    // A session has one stream, the newest.
    session.stream?.end();
    const stream: HttpReply = new HttpReply(response, () => {
      if (session.stream === stream) session.stream = undefined;
    });
    session.stream = stream;
    stream.open();
  }

  async delete({ request, response, agentId }: McpExchange): Promise<void> {
    const session = this.sessions.find(String(request.headers[SESSION_HEADER]), agentId, this.now());
    if (session === undefined) return sendError(response, 404, NOT_FOUND);
    this.sessions.end(session);
    sendStatus(response, 200);
  }

  private async initialize({ response, agentId }: McpExchange, message: Incoming): Promise<void> {
    const idJson = idOf(message);
    const reply = new HttpReply(response, () => undefined);
    const params = message.params ?? {};
    const key = this.server.isPerAgent ? keyOf(agentId, params) : SHARED;
    try {
      const instance = await this.instance(key, params);
      const session = this.sessions.add(agentId, key, this.now());
      response.setHeader(SESSION_HEADER, session.id);
      reply.json(200, `{"jsonrpc":"2.0","id":${idJson},"result":${JSON.stringify(instance.handshake)}}`);
    } catch (error) {
      failed(error, reply, idJson);
    }
  }

  private async ask(session: LegacySession, message: Incoming, { response }: McpExchange): Promise<void> {
    const local = this.voice.answer(session, message);
    if (local !== undefined) return sendError(response, 200, local);
    let isGone = false;
    let cancel = (): void => undefined;
    const http = new HttpReply(response, () => {
      isGone = true;
      cancel();
    });
    try {
      const running = this.server.running(session.key);
      // What an agent's own child knew of its client is gone with it.
      if (running === undefined && session.key !== SHARED) return this.lost(session, response);
      const instance = await (running ?? this.instance(SHARED, {}));
      if (isGone) return;
      if (instance.child.pendingBytes > STDIN_BYTES_MAX) throw new RpcFault('runner.busy', 1000);
      instance.used(this.now());
      const reply = this.noting(session, message, http);
      const exchange = instance.connection.send(message, reply, session);
      cancel = () => exchange && instance.connection.cancel(exchange);
    } catch (error) {
      failed(error, http, idOf(message));
    }
  }

  private lost(session: LegacySession, response: McpExchange['response']): void {
    this.sessions.end(session);
    sendError(response, 404, NOT_FOUND);
  }

  /** Sends what has no answer. Only an agent's own child hears of it, but for a cancel. */
  private async tell(session: LegacySession, message: Incoming): Promise<void> {
    const instance = await this.server.running(session.key);
    if (instance === undefined) return;
    if (message.method === 'notifications/cancelled') {
      const id = message.params && ownMember(message.params, 'requestId');
      const exchange = id === undefined ? undefined : instance.connection.find(session, JSON.stringify(id));
      if (exchange === undefined) return;
      instance.connection.cancel(exchange);
      exchange.reply.fail(new RpcFault('runner.cancelled'), exchange.idJson);
      return;
    }
    if (!this.server.isPerAgent || message.method === 'notifications/initialized') return;
    // An answer to nothing that was asked here is nobody's.
    if (message.kind === 'response' && !session.questions.delete(idOf(message))) return;
    instance.connection.write(message.bytes);
  }

  /** The child of a key, spoken to. */
  private instance(key: string, params: JsonObject): Promise<Instance> {
    return this.server.acquire(key, {
      unasked: (instance) => this.voice.unasked(instance, key),
      prepare: async (instance) => {
        const own = { protocolVersion: PROTOCOL_VERSIONS.legacy[0], capabilities: {}, clientInfo: RUNNER_INFO };
        instance.handshake = await instance.connection.call('initialize', key === SHARED ? own : params);
        instance.connection.write('{"jsonrpc":"2.0","method":"notifications/initialized"}');
        if (key === SHARED) this.voice.resubscribe(instance);
        else void instance.child.ended.then(() => this.sessions.endOf(key));
      },
    });
  }

  /** Notes what a session subscribes to when the child has taken it. */
  private noting(session: LegacySession, { method, params }: Incoming, reply: Reply): Reply {
    const uri = params && ownMember(params, 'uri');
    if ((method !== 'resources/subscribe' && method !== 'resources/unsubscribe') || typeof uri !== 'string') return reply;
    return {
      answer: (message) => {
        if (method === 'resources/subscribe') session.subscriptions.add(uri);
        else session.subscriptions.delete(uri);
        void this.hold(session);
        reply.answer(message);
      },
      notify: (message) => reply.notify(message),
      onceDrained: (then) => reply.onceDrained(then),
      fail: (fault, idJson) => reply.fail(fault, idJson),
    };
  }

  /** A child that is listened to for changes is in use. */
  private async hold(session: LegacySession): Promise<void> {
    const instance = await this.server.running(session.key)?.catch(() => undefined);
    if (session.subscriptions.size > 0) instance?.holders.add(session);
    else instance?.holders.delete(session);
  }

  private ended(session: LegacySession): void {
    if (session.key !== SHARED) {
      if (!this.sessions.hasAny(session.key)) this.server.end(session.key);
      return;
    }
    const orphaned = [...session.subscriptions].filter((uri) => !this.voice.isWanted(uri));
    session.subscriptions.clear();
    void this.hold(session);
    void this.server.running(SHARED)?.then(
      ({ connection }) => orphaned.forEach((uri) => void connection.call('resources/unsubscribe', { uri }).catch(() => undefined)),
      () => undefined,
    );
  }
}

/** An agent's sessions share a child as long as its clients can do the same. */
function keyOf(agentId: string, params: JsonObject): string {
  const capabilities = ownMember(params, 'capabilities');
  const said = JSON.stringify([ownMember(params, 'protocolVersion'), isJsonObject(capabilities) ? capabilities : {}]);
  return `${agentId} ${createHash('sha256').update(said).digest('base64url')}`;
}

function idOf({ bytes, spans }: Incoming): string {
  return spans.id === undefined ? 'null' : textAt(bytes, spans.id);
}

function failed(error: unknown, reply: Reply, idJson: string): void {
  if (!(error instanceof RpcFault)) throw error;
  reply.fail(error, idJson);
}
