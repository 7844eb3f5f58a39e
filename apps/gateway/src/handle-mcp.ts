import type { IncomingMessage, ServerResponse } from 'node:http';
import { discardBody, sourceOf } from '@portcullis/boot';
import { classifyMessage, parseJsonBody, type Classified } from '@portcullis/mcp';
import { answerBatch } from './answer-batch.js';
import { answerRequest } from './answer-request.js';
import { answerTaskKey } from './caller/answer-task-key.js';
import { accessTokenIn, authenticate, type Caller } from './caller/authenticate.js';
import { answerMetadata, challenged } from './caller/protected-resource.js';
import { takeNotification } from './cancel/take-notification.js';
import { filterBodyHeaders, filterRequest, type FilteredRequest } from './edge/front-filter.js';
import { limitPipelining } from './edge/pipelining.js';
import { readBody } from './edge/read-body.js';
import type { RequestHead } from './edge/request-head.js';
import { endSession } from './end-session.js';
import type { Gateway } from './gateway.js';
import { livePolicy } from './policy/live-policy.js';
import { takeResponse } from './questions/take-response.js';
import { HttpReply } from './reply/http-reply.js';
import { countRefusal, recordRefusal, refuse, refuseBody } from './reply/refuse.js';
import { isSubscription } from './streams/answer-subscription.js';
import { openStream } from './streams/open-stream.js';
import { isHandshakeOrList } from './view/answer-locally.js';
import type { Visit } from './visit.js';

/** One HTTP request, first byte to last. Every step that can refuse throws a GatewayError. */
export async function handleMcp(request: IncomingMessage, response: ServerResponse, gateway: Gateway): Promise<void> {
  const startedAt = performance.now();
  const reply = new HttpReply(response);
  let visit: Visit | undefined;
  try {
    limitPipelining(request.socket, response);
    const filtered = filterRequest(request, gateway.edge);
    gateway.shedding.admitConnection(request.socket);
    if (filtered.route.describes !== undefined) return answerMetadata(filtered.route.describes, request.method, { gateway, reply });
    const unknown = findOut(request, filtered, gateway);
    if (unknown !== undefined) await unknown;
    visit = enter(request, filtered, { gateway, startedAt }); // nothing of a stranger's body is read
    if (filtered.route.isTaskKeys === true) return await answerTaskKey(visit, request, reply);
    if (request.method === 'DELETE') return await endSession(visit, reply);
    if (request.method === 'GET') {
      gateway.shedding.admitList();
      return await openStream(visit, reply);
    }
    filterBodyHeaders(filtered.head, gateway.edge);
    const body = await readBody(request, gateway.edge.bodyBytesMax);
    // The body may have been long in coming: what is decided from here on is decided by the newest policy alone.
    if (gateway.policy.current() !== visit.live) {
      await findOut(request, filtered, gateway);
      visit = enter(request, filtered, { gateway, startedAt });
    }
    await serve(parseMessage(body, filtered.head), visit, reply);
  } catch (error) {
    if (visit === undefined) countRefusal(error, gateway.metrics);
    else await recordRefusal(error, visit);
    await discardBody(request);
    refuse(error, { request, response, reply }, gateway);
  }
}

/** What has to be found out of an access token before its request can be let in; undefined for keys, and for tokens that are known. */
function findOut(request: IncomingMessage, { head }: FilteredRequest, gateway: Gateway): Promise<void> | undefined {
  const token = accessTokenIn(head.authorization);
  if (token === undefined || !gateway.accessTokens.isNews(token)) return undefined;
  // Signatures and questions to issuers are not for whoever keeps failing.
  return gateway.failedAuthentication.isFlooded(sourceOf(request.socket.remoteAddress), gateway.now())
    ? undefined
    : gateway.accessTokens.learn(token);
}

/** Takes the snapshot that decides this request, and says whose request it is. */
function enter(request: IncomingMessage, { head, route }: FilteredRequest, at: { gateway: Gateway; startedAt: number }): Visit {
  const { gateway, startedAt } = at;
  const live = livePolicy(gateway, head.minPolicyRevision);
  const now = gateway.now();
  let caller: Caller;
  try {
    const { pepperOf, taskKeys, accessTokens } = gateway;
    caller = authenticate(head.authorization, live, { pepperOf, taskKeys, accessTokens, slug: route.slug, now });
  } catch (error) {
    const noted = gateway.failedAuthentication.note(error, sourceOf(request.socket.remoteAddress), now);
    throw challenged(noted, live.settings, route.slug);
  }
  return { gateway, live, caller, head, slug: route.slug, startedAt, now };
}

/** From bytes to a message whose era, envelope and headers are in order, or the refusal to answer with. */
function parseMessage(body: Buffer, head: RequestHead): Classified {
  const parsed = parseJsonBody(body);
  if (!parsed.ok) return parsed.refusal;
  const { protocolVersion, mcpMethod, mcpName, sessionId } = head;
  return classifyMessage(parsed.value, { protocolVersion, method: mcpMethod, name: mcpName, sessionId });
}

function serve(message: Classified, visit: Visit, reply: HttpReply): Promise<void> {
  switch (message.kind) {
    case 'request':
      if (isHandshakeOrList(message.method) || isSubscription(message)) visit.gateway.shedding.admitList();
      else visit.gateway.shedding.admitCall();
      return answerRequest(message, visit, reply);
    case 'notification':
      return takeNotification(message, visit, reply);
    case 'batch':
      visit.gateway.shedding.admitCall();
      return answerBatch(message, visit, reply);
    case 'response':
      return takeResponse(message, visit, reply);
    case 'refused':
      return refuseBody(message, visit, reply);
  }
}
