import { MODERN_VERSION, ownMember, type JsonObject } from '@portcullis/mcp';
import { STDIN_BYTES_MAX } from '../spawn/child.js';
import { SHARED, type HostedServer } from '../supervise/hosted-server.js';
import type { Instance } from '../supervise/instance.js';
import type { Unasked } from './connection.js';
import { readIncoming } from './incoming.js';
import { sendError, sendStatus, type McpExchange, type McpFace } from './mcp-exchange.js';
import { textAt } from './message-spans.js';
import { HttpReply } from './reply.js';
import { errorJson, RpcFault } from './rpc-fault.js';

const MALFORMED = errorJson('null', { code: -32600, message: 'Invalid Request' });
const LISTEN = 'subscriptions/listen';

/** A server of the stateless era: each request stands for itself, and closing it is its cancel. */
export class ModernFace implements McpFace {
  constructor(
    private readonly server: HostedServer,
    private readonly now: () => number,
  ) {}

  async post({ response, agentId }: McpExchange, body: Buffer): Promise<void> {
    const message = readIncoming(body);
    if (message === undefined) return sendError(response, 400, MALFORMED);
    // Nothing without an answer means anything in this era.
    if (message.kind !== 'request' || message.spans.id === undefined) return sendStatus(response, 202);
    const idJson = textAt(message.bytes, message.spans.id);
    if (message.method === 'initialize' && message.params !== undefined && !Object.hasOwn(message.params, '_meta')) {
      const data = { supported: [MODERN_VERSION], requested: ownMember(message.params, 'protocolVersion') };
      return sendError(response, 400, errorJson(idJson, { code: -32022, message: 'Unsupported protocol version', data }));
    }
    let isGone = false;
    let cancel = (): void => undefined;
    const reply = new HttpReply(response, () => {
      isGone = true;
      cancel();
    });
    try {
      const instance = await this.instance(agentId);
      if (isGone) return;
      if (instance.child.pendingBytes > STDIN_BYTES_MAX) throw new RpcFault('runner.busy', 1000);
      instance.used(this.now());
      if (message.method === LISTEN) reply.open();
      const exchange = instance.connection.send(message, reply, agentId);
      cancel = () => exchange && instance.connection.cancel(exchange);
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      reply.fail(error, idJson);
    }
  }

  async get({ response }: McpExchange): Promise<void> {
    sendStatus(response, 405, { allow: 'POST' });
  }

  async delete({ response }: McpExchange): Promise<void> {
    sendStatus(response, 405, { allow: 'POST' });
  }

  private instance(agentId: string): Promise<Instance> {
    const key = this.server.isPerAgent ? agentId : SHARED;
    return this.server.acquire(key, { unasked: (instance) => this.unasked(instance), prepare: async () => undefined });
  }

  /** A server of this era asks nothing, and says nothing that belongs to no request but in its log. */
  private unasked(instance: Instance): Unasked {
    return {
      request: (message) => {
        const idJson = JSON.stringify(ownMember(message, 'id'));
        instance.connection.write(errorJson(idJson, { code: -32601, message: 'Method not found' }));
      },
      notification: (message: JsonObject, line) => {
        const { newest } = instance.connection;
        if (this.server.isPerAgent && newest !== undefined && newest.method !== LISTEN) instance.passOn(newest.reply, line.toString());
        else this.server.parts.log.note(`${String(ownMember(message, 'method'))} ${line.toString('utf8', 0, 2000)}`);
      },
    };
  }
}
