import { GatewayError } from '@portcullis/contracts/errors';
import type { ClassifiedRequest } from '@portcullis/mcp';
import { z } from 'zod';
import type { InternalExchange } from '../nodes/internal-exchange.js';
import { NodeUnreachableError } from '../nodes/node-client.js';
import type { NodeLinks } from '../nodes/node-links.js';
import { HttpReply } from '../reply/http-reply.js';
import type { Reply } from '../reply/reply.js';
import type { Visit } from '../visit.js';
import type { ParkedCalls } from './parked-calls.js';
import type { Retry } from './read-retry.js';

const RequestId = z.union([z.string(), z.number()]);
const Resume = z.object({
  name: z.string(),
  agentId: z.string(),
  round: z.number(),
  id: RequestId,
  progressToken: RequestId.optional(),
  responses: z.record(z.string(), z.json()).optional(),
});
const Resumed = z.union([
  z.object({ status: z.number(), message: z.string() }),
  z.object({ silent: z.literal(true) }),
  z.object({ unknown: z.literal(true), lost: z.boolean().default(false) }),
]);
type Resumed = z.infer<typeof Resumed>;

const ROUTE = 'resume';

/** Lets other nodes go on with calls that are parked here. */
export function serveParkedCalls(nodes: NodeLinks, calls: ParkedCalls): void {
  nodes.route(ROUTE, (body, exchange) => {
    const { name, agentId, id, progressToken, round, responses } = Resume.parse(body);
    const reply = new ExchangeReply(exchange);
    const found = calls.resume(name, agentId, { reply, id, progressToken, round, responses });
    return found === 'resumed' ? reply.resumed : { unknown: true, lost: found === 'lost' };
  });
}

/** Goes on with a parked call, wherever it is; its next answer, or its next question, goes to this reply. */
export async function resumeParked(call: ClassifiedRequest, parked: NonNullable<Retry['parked']>, at: { visit: Visit; reply: Reply }): Promise<void> {
  const { visit, reply } = at;
  if (reply instanceof HttpReply) reply.keepAlive();
  const { nodes, parkedCalls } = visit.gateway;
  const { node, name, round } = parked.content;
  const { id, progressToken } = call;
  const agentId = visit.caller.agent.id;
  if (node === nodes.url) {
    const found = parkedCalls.resume(name, agentId, { reply, id, progressToken, round, responses: parked.responses });
    if (found !== 'resumed') throw new GatewayError(found === 'lost' ? 'node.call_lost' : 'client.invalid_state');
    return;
  }
  const leaving = new AbortController();
  reply.onGone(() => leaving.abort());
  const onPart = async (part: unknown): Promise<void> => {
    if (reply.notify(String(part))) return;
    await new Promise<void>((resolve) => {
      reply.onceDrained(resolve);
    });
  };
  const body: z.infer<typeof Resume> = {
    name,
    agentId,
    round,
    id,
    progressToken,
    responses: parked.responses as z.infer<typeof Resume>['responses'],
  };
  const end = await nodes.send(node, ROUTE, body, { onPart, signal: leaving.signal }).catch((error: unknown) => {
    if (leaving.signal.aborted) throw new GatewayError('client.cancelled');
    if (error instanceof NodeUnreachableError) throw new GatewayError('node.call_lost', {}, { cause: error });
    throw error;
  });
  finish(reply, Resumed.parse(end));
}

function finish(reply: Reply, end: Resumed): void {
  if ('unknown' in end) throw new GatewayError(end.lost ? 'node.call_lost' : 'client.invalid_state');
  if ('silent' in end) reply.finishSilently();
  else reply.finish(end.status, [end.message]);
}

/** A reply that another node carries to its client. */
class ExchangeReply implements Reply {
  private settle!: (end: Resumed) => void;
  readonly resumed = new Promise<Resumed>((resolve) => {
    this.settle = resolve;
  });

  constructor(private readonly exchange: InternalExchange) {}

  notify(message: string): boolean {
    return this.exchange.part(message);
  }

  finish(status: number, message: readonly (string | Buffer)[]): void {
    this.settle({ status, message: Buffer.concat(message.map((piece) => Buffer.from(piece))).toString() });
  }

  finishSilently(): void {
    this.settle({ silent: true });
  }

  onGone(listener: () => void): void {
    this.exchange.onGone(listener);
  }

  onceDrained(listener: () => void): void {
    this.exchange.onceDrained(listener);
  }
}
