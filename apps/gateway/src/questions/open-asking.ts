import { GatewayError } from '@portcullis/contracts/errors';
import { askableCapabilities, type ClassifiedRequest, type JsonObject } from '@portcullis/mcp';
import type { Cancellation } from '../cancel/cancellation.js';
import { HttpReply } from '../reply/http-reply.js';
import type { Reply } from '../reply/reply.js';
import type { Step } from '../step.js';
import type { VisibleTarget } from '../view/agent-view.js';
import { eraTowards } from '../view/era-towards.js';
import type { AskAgent } from './ask-agent.js';
import { LegacyAsker } from './legacy-asker.js';
import { ParkedCall } from './parked-call.js';
import type { Questioning } from './put-question.js';
import type { StatePlace } from './request-states.js';

/** A call that its server may ask something: where its messages go, and how it is asked. */
export interface Asking {
  readonly call: ClassifiedRequest;
  readonly reply: Reply;
  readonly questioning: Questioning;
  readonly parked: ParkedCall | undefined;
  /** Must be called when the call has ended: nobody waits for answers any more. Who still does is told the reason. */
  close(reason?: GatewayError): void;
}

const NONE: JsonObject = {};

/** Says how the questions of a call's server reach its agent: on its stream, by parking the call, in results, or not at all. */
export function openAsking(step: Step, at: { target: VisibleTarget; place: StatePlace; cancellation: Cancellation }): Asking {
  const { call, visit, reply, record, session } = step;
  const { server } = at.target;
  const isLegacyServer = eraTowards(server, call.era) === 'legacy';
  const declared = call.era === 'legacy' ? (session?.capabilities ?? NONE) : askableCapabilities(call.clientCapabilities);
  const canAsk = reply instanceof HttpReply && Object.keys(declared).length > 0;
  // A session at a legacy server is told once for all of its calls.
  const capabilities = canAsk || isLegacyServer ? declared : NONE;
  const serverName = visit.slug === null ? server.slug : null;
  if (call.era === 'legacy') {
    const answerer = session && { agentId: visit.caller.agent.id, session: session.name };
    const asker = canAsk && answerer !== undefined ? new LegacyAsker(visit.gateway.questions, answerer, reply) : undefined;
    return { call, reply, parked: undefined, questioning: { capabilities, asker, record, serverName }, close: closing(asker) };
  }
  if (!canAsk || !isLegacyServer)
    return { call, reply, parked: undefined, questioning: { capabilities, asker: undefined, record, serverName }, close: nothing };
  const parked = new ParkedCall(visit.gateway.parkedCalls, visit, { call, reply, ...at });
  const questioning = { capabilities, asker: parked, record, serverName };
  return { call: parked.call, reply: parked.reply, parked, questioning, close: closing(parked) };
}

const nothing = (): void => undefined;

// The reason is made only for somebody who waits: an error knows its stack, which is 7 % of a small call.
function closing(asker: AskAgent | undefined): Asking['close'] {
  if (asker === undefined) return nothing;
  return (reason = new GatewayError('client.cancelled', { reason: 'the call has ended' })) => asker.close(reason);
}
