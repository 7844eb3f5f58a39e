import { randomBytes } from 'node:crypto';
import { GatewayError } from '@portcullis/contracts/errors';
import type { Era, JsonObject } from '@portcullis/mcp';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { putQuestion } from '../questions/put-question.js';
import { logWishOf, type LogLevel, type LogWish } from '../session/log-level.js';
import type { SessionOwner, UpstreamSession } from '../session/upstream-sessions.js';
import { declaredHeaders } from '../target/declared-headers.js';
import { eraTowards } from '../view/era-towards.js';
import { serverDeclares } from '../view/server-capabilities.js';
import { bridgeWatched, watchFor, type AnswerWatch } from './answers/answer-watch.js';
import type { BridgedAnswer } from './answers/bridge-answer.js';
import { answersTo, readAnswer } from './answers/read-answer.js';
import { askBetween, isAsking } from './ask-between.js';
import { agentVersionOf, type CallToServer } from './call-to-server.js';
import { forwardCall, type ForwardedCall, type Forwarding } from './forwarded-call.js';
import { BASE_HEADERS, openLegacySession, sessionHeaders } from './legacy-handshake.js';
import { postMessage } from './post-message.js';
import { relayNotification } from './relay-notification.js';
import { answerRelayFor, progressRelayFor } from './relays.js';
import { tellLogLevel } from './server-log-level.js';
import { ServerRequests } from './server-requests.js';
import { isSessionLost } from './session-lost.js';
import { tellCancelled } from './tell-cancelled.js';
import type { PostInFlight, UpstreamAnswer } from './upstream-post.js';
import type { UpstreamWay } from './upstream-way.js';

/** A call, which log messages its agent takes, and what rules make of what its server says. */
interface WishedCall {
  readonly work: CallToServer;
  readonly logs: LogWish;
  readonly watch: AnswerWatch | undefined;
}

// Unique beyond this process: nodes share sessions at servers, and a server tells requests of a session apart by their ids.
const prefix = `${randomBytes(6)
  .toString('base64url')
  .replaceAll(/[^A-Za-z0-9]/g, '0')}-`;
let count = 0;
const nextId = (): string => `${prefix}${(count += 1).toString(36)}`;

/**
 * Sends a call to its server and gives the answer in the agent's era; messages before it go to the reply as they come. A call is sent once; only
 * where the server did not know the session, so that nothing ran, it is sent again in a new one.
 */
export async function callServer(work: CallToServer, upstream: UpstreamWay): Promise<BridgedAnswer> {
  const { target, visit } = work;
  const serverEra = eraTowards(target.server, work.call.era);
  // A session is only looked at where the server has a log.
  const asks = work.session !== undefined && serverDeclares(target.server, 'logging');
  const logs = logWishOf(work.call, asks ? await visit.gateway.logLevels.of(work.session.name) : undefined);
  const watch = watchFor(work);
  const wished: WishedCall = { work, logs, watch };
  let { call } = work;
  for (let round = 1; ; round += 1) {
    const forwarded = forwardCall(call, forwardingOf(wished, serverEra));
    const sent = serverEra === 'modern' ? await send(wished, upstream, forwarded).answer : await callInSession(wished, upstream, forwarded);
    if (sent.relayed !== undefined) return watch === undefined ? sent.relayed : { ...watch.unseen(sent.relayed), reason: watch.note };
    const answer = readAnswer(acceptable(sent), forwarded.id);
    await work.parked?.attended();
    const next = isAsking(answer) && watch?.hasBlocked !== true ? await askBetween(answer, { work, call, round }) : undefined;
    if (next === undefined) {
      const { id, method, era } = work.call;
      const agentVersion = agentVersionOf(work);
      return bridgeWatched(answer, watch, { id, method, agentEra: era, agentVersion, serverEra, serverInfo: visit.gateway.serverInfo });
    }
    if ('message' in next) return next;
    call = next;
  }
}

function forwardingOf({ work, logs }: WishedCall, era: Era): Forwarding {
  const { nameMember, name, argumentsJson, target, visit, questioning } = work;
  return {
    id: nextId(),
    era,
    nameMember,
    name,
    argumentsJson,
    logLevel: levelToAsk(logs, target.server, era),
    declarations: era === 'modern' ? declaredHeaders(target.definition) : [],
    clientInfo: visit.gateway.serverInfo,
    clientCapabilities: questioning.capabilities,
  };
}

/** The level a server is asked for. A modern one sends nothing unasked, which a legacy client would take for silence. */
function levelToAsk(logs: LogWish, server: ServerEntry, era: Era): LogLevel | undefined {
  if (logs === 'none' || !serverDeclares(server, 'logging')) return undefined;
  if (logs !== 'any') return logs;
  return era === 'modern' ? 'info' : undefined;
}

async function callInSession(wished: WishedCall, upstream: UpstreamWay, forwarded: ForwardedCall): Promise<UpstreamAnswer> {
  const { work } = wished;
  const { gateway, caller } = work.visit;
  const { capabilities } = work.questioning;
  const owner: SessionOwner = {
    serverId: work.target.server.id,
    agentId: caller.agent.id,
    session: work.session?.name ?? caller.principal ?? null,
    capabilities,
  };
  const open = async (): Promise<UpstreamSession> => {
    const opened = await openLegacySession(upstream, { clientInfo: gateway.serverInfo, capabilities }, nextId());
    return upstream.signedInAs === undefined ? opened : { ...opened, signedInAs: upstream.signedInAs };
  };
  const sendIn = async (session: UpstreamSession): Promise<UpstreamAnswer> => {
    // What the server asks on the session's own stream would be lost where that is not open by then.
    const leave = await gateway.questionStreams.attend({ owner, session, upstream, questioning: work.questioning });
    try {
      await askForLogs(wished, upstream, session);
      return await send(wished, upstream, forwarded, session).answer;
    } finally {
      leave?.();
    }
  };
  let session = await gateway.upstreamSessions.get(owner, open);
  if (session.signedInAs !== upstream.signedInAs) session = await gateway.upstreamSessions.replace(owner, session, open);
  const answer = await sendIn(session);
  if (session.id === undefined || !isSessionLost(answer)) return answer;
  work.record.retried();
  return sendIn(await gateway.upstreamSessions.replace(owner, session, open));
}

async function askForLogs({ logs, work }: WishedCall, upstream: UpstreamWay, session: UpstreamSession): Promise<void> {
  const level = levelToAsk(logs, work.target.server, 'legacy');
  if (level !== undefined) await tellLogLevel(session, level, { upstream, isShared: work.session === undefined, id: nextId() });
}

function send({ work, logs, watch }: WishedCall, upstream: UpstreamWay, forwarded: ForwardedCall, session?: UpstreamSession): PostInFlight {
  const { call, reply, target, cancellation, questioning } = work;
  cancellation.throwIfCancelled();
  const { firstByteTimeoutMs, totalTimeoutMs, resultBytesMax } = target.server.limits;
  let requests: ServerRequests | undefined;
  const onRequest = (request: JsonObject): void => {
    if (session === undefined) return;
    requests ??= new ServerRequests({
      upstream,
      session,
      put: (question, withdrawn) => putQuestion(question, questioning, withdrawn),
      onFailure: (error) => inFlight.abort(error),
    });
    requests.take(request);
  };
  const inFlight = postMessage(upstream.pool, {
    path: upstream.path,
    headers: [...BASE_HEADERS, ...forwarded.headers, ...(session === undefined ? [] : sessionHeaders(session))],
    body: forwarded.body,
    firstByteTimeoutMs,
    totalTimeoutMs,
    resultBytesMax: watch?.bytesMax(resultBytesMax) ?? resultBytesMax,
    resumeHeaders: session?.id === undefined || target.server.transport === 'sse' ? undefined : sessionHeaders(session),
    isAnswer: (message) => answersTo(message, forwarded.id),
    onMessage: (message) => {
      const relayed = relayNotification(message, call, { id: forwarded.id, logs, onRequest });
      const passed = relayed === undefined || watch === undefined ? relayed : watch.look(relayed);
      if (passed === undefined || reply.notify(passed)) return true;
      reply.onceDrained(() => inFlight.resume());
      return false;
    },
    // What is looked through is read as JSON, and whole before anything of it passes.
    progress: watch === undefined ? progressRelayFor(work, forwarded, () => inFlight.resume()) : undefined,
    relay: watch?.holds !== true ? () => answerRelayFor(work, forwarded, () => inFlight.resume()) : undefined,
    share: work.share,
    record: work.record,
  });
  cancellation.stopsWith((reason) => {
    inFlight.abort(reason);
    if (session !== undefined) tellCancelled(upstream, forwarded, session);
  });
  return inFlight;
}

/** The message of an answer that may be read: servers also put JSON-RPC errors into 4xx. */
function acceptable({ status, message }: UpstreamAnswer): string {
  if (message === undefined || status >= 500 || status < 200 || (status >= 300 && status < 400) || status === 401 || status === 403) {
    throw new GatewayError('upstream.protocol', { status });
  }
  return message;
}
