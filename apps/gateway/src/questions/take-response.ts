import type { ClassifiedResponse } from '@portcullis/mcp';
import { z } from 'zod';
import { NodeUnreachableError } from '../nodes/node-client.js';
import type { NodeLinks } from '../nodes/node-links.js';
import type { HttpReply } from '../reply/http-reply.js';
import { refuseBody } from '../reply/refuse.js';
import { namedSession } from '../session/named-session.js';
import type { Visit } from '../visit.js';
import type { OpenQuestions } from './open-questions.js';

const Answer = z.object({ name: z.string(), agentId: z.string(), session: z.string(), message: z.record(z.string(), z.json()) });

const ROUTE = 'answer';

/** Lets other nodes hand over answers to questions that were put here. */
export function serveAnswers(nodes: NodeLinks, questions: OpenQuestions): void {
  nodes.route(ROUTE, (body) => {
    const { name, agentId, session, message } = Answer.parse(body);
    return questions.take(name, { agentId, session }, message);
  });
}

/** A legacy client's answer to a question: taken once, on any node, from the session that was asked; anything else is no message of ours. */
export async function takeResponse(response: ClassifiedResponse, visit: Visit, reply: HttpReply): Promise<void> {
  if (await deliverResponse(response, visit)) reply.finishEmpty(202);
  else await refuseBody(response, visit, reply);
}

/** Brings an answer to the node that waits for it; false where nobody does. */
export async function deliverResponse({ id, message }: ClassifiedResponse, visit: Visit): Promise<boolean> {
  const { gateway, caller } = visit;
  const session = namedSession(visit);
  if (session === undefined) return false;
  const answerer = { agentId: caller.agent.id, session: session.name };
  const place = gateway.questions.placeOf(id, answerer);
  if (place === undefined) return false;
  if (place.node === gateway.nodes.url) return gateway.questions.take(place.name, answerer, message);
  try {
    return (await gateway.nodes.send(place.node, ROUTE, { name: place.name, ...answerer, message })) === true;
  } catch (error) {
    // With its node the call has gone that asked.
    if (error instanceof NodeUnreachableError) return false;
    throw error;
  }
}
