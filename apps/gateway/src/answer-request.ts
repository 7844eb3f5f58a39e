import { GatewayError } from '@portcullis/contracts/errors';
import type { Decision } from '@portcullis/policy';
import { completionResult, ownMember, resultMessage, toolErrorResult, type ClassifiedRequest } from '@portcullis/mcp';
import { CallRecord } from './audit/call-record.js';
import { callerName } from './caller/authenticate.js';
import { claimedAgent } from './caller/claimed-agent.js';
import { Cancellation } from './cancel/cancellation.js';
import { RevocableCall } from './cancel/forwarded-calls.js';
import { callName } from './cancel/running-calls.js';
import { isLimited, limitsOn } from './limits/limits-on.js';
import { POLICY_LIMITS } from './limits/policy-limits.js';
import { requireBudget } from './limits/require-budget.js';
import { withinLimits } from './limits/within-limits.js';
import { answerOwnTool, isOwnTool } from './own-tools/answer-own-tool.js';
import { decideTarget, refusedAsNoObject } from './policy/decide-target.js';
import { withPinnedArguments } from './policy/pinned-call.js';
import { recordShadow } from './policy/record-shadow.js';
import type { CallOutcome } from './process/call-metrics.js';
import { openAsking, type Asking } from './questions/open-asking.js';
import { bringsBack, readRetry } from './questions/read-retry.js';
import type { StatePlace } from './questions/request-states.js';
import { resumeParked } from './questions/resume-parked.js';
import { endingOf } from './reply/ending-of.js';
import { errorMessage } from './reply/error-message.js';
import { HttpReply } from './reply/http-reply.js';
import type { Reply } from './reply/reply.js';
import type { Session } from './session/agent-sessions.js';
import { setLogLevel } from './session/set-log-level.js';
import type { Step } from './step.js';
import { answerSubscription, isSubscription } from './streams/answer-subscription.js';
import { describeAsked } from './target/describe-asked.js';
import { requireMirroredArguments } from './target/require-mirrored-arguments.js';
import { askedName, resolveTarget, targetMethodOf, weighedArguments, type TargetMethod } from './target/resolve-target.js';
import { unknownTarget } from './target/unknown-target.js';
import { callServer } from './upstream/call-server.js';
import type { CallToServer } from './upstream/call-to-server.js';
import { ownNameOf, type AgentView, type VisibleTarget } from './view/agent-view.js';
import { answerLocally, isHandshakeOrList, type LocalAnswer } from './view/answer-locally.js';
import { eraTowards } from './view/era-towards.js';
import { serverDeclares } from './view/server-capabilities.js';
import type { Visit } from './visit.js';

/** One JSON-RPC request, from era to last byte: locally if it is a list or handshake, else decided, recorded and forwarded. */
export async function answerRequest(call: ClassifiedRequest, visit: Visit, reply: Reply): Promise<void> {
  const { gateway, live, caller, slug, now } = visit;
  const record = new CallRecord(visit, { method: call.method, era: call.era, traceparent: call.meta && ownMember(call.meta, 'traceparent') });
  record.claimed(claimedAgent(call, visit));
  try {
    const session = openSession(call, visit);
    const view = gateway.views.of(caller.agent, slug, { live, now, task: caller.task });
    const step: Step = { call, visit, reply, record, session };
    if (isSubscription(call)) return await answerSubscription(view, step);
    const local = call.method === 'logging/setLevel' ? await setLogLevel(call, session, visit) : answerLocally(call, view, visit);
    if (local !== undefined) return await respondLocally(local, step);
    const method = targetMethodOf(call);
    if (method === undefined) throw new GatewayError('client.unknown_method');
    await answerTarget(method, view, step);
  } catch (error) {
    await refuseRequest(error, { call, visit, reply, record });
  }
}

/** The legacy session a request belongs to; a client may go without, and the modern era knows none. */
function openSession(call: ClassifiedRequest, { head, gateway, caller, now }: Visit): Session | undefined {
  if (call.era === 'modern' || head.sessionId === undefined || call.method === 'initialize') return undefined;
  return gateway.sessions.open(head.sessionId, caller.agent.id, now, caller.principal);
}

async function respondLocally({ result, sessionId }: LocalAnswer, { call, visit, reply, record }: Step): Promise<void> {
  if (isHandshakeOrList(call.method) && (visit.live.settings.auditLists || record.isConspicuous)) await record.end({ status: 'success' });
  if (sessionId !== undefined && reply instanceof HttpReply) reply.setHeader('mcp-session-id', sessionId);
  reply.finish(200, [`{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":`, result, '}']);
  visit.gateway.metrics.ended(call.method, 'success');
}

async function answerTarget(method: TargetMethod, view: AgentView, step: Step): Promise<void> {
  const { call, visit, record } = step;
  const name = askedName(call, method);
  const args = call.params && ownMember(call.params, 'arguments');
  const argumentsJson = args === undefined ? undefined : JSON.stringify(args);
  if (argumentsJson !== undefined) record.arguments(argumentsJson);
  else if (method.member === 'ref') record.arguments(JSON.stringify(call.params && ownMember(call.params, 'argument')) ?? '');
  const target = resolveTarget(view, method, name);
  if (target === undefined) {
    record.asked(describeAsked(name, method.kind, { visit, view, args: weighedArguments(call, method) }));
    return refuseTarget(name, 'denied', step);
  }
  const weighed = weighedArguments(call, method);
  const decided = decideTarget(view, target, weighed, visit.now);
  const decision = decided.effect === 'conditional' ? refusedAsNoObject(decided) : decided;
  record.decided(target, decision);
  if (view.table.trial !== undefined) recordShadow(record, target, { view, args: weighed, now: visit.now, decision });
  if (decision.refused === 'target') return refuseTarget(name, 'denied', step);
  if (decision.refused === 'arguments' && method.member === 'ref') return completeNothing('denied', step);
  if (decision.refused === 'arguments') throw new GatewayError('policy.arguments');
  if (isOwnTool(target)) return answerOwnTool(target, step);
  requireMirroredArguments(target, step);
  if (visit.caller.agent.budgetSpentUntil !== undefined) requireBudget(visit.caller.agent.budgetSpentUntil, step);
  if (method.member === 'ref' && !serverDeclares(target.server, 'completions')) return completeNothing('success', step);
  const work: Work = { target, nameMember: method.member, name: ownNameOf(target), argumentsJson, decision };
  if (decision.pinned === null) return await forward(work, step); // returned unawaited, a promise takes two rounds more
  const pinned = withPinnedArguments(call, weighed, decision.pinned);
  record.arguments(pinned.argumentsJson);
  await forward({ ...work, argumentsJson: pinned.argumentsJson }, { ...step, call: pinned.call });
}

/** The answer of an unknown target, which is also that of every other the agent cannot use. */
async function refuseTarget(name: string, outcome: CallOutcome, { call, visit, reply, record }: Step): Promise<void> {
  await record.end({ status: 'denied' });
  reply.finish(200, [unknownTarget(call, name)]);
  visit.gateway.metrics.ended(call.method, outcome);
}

/** The answer where nothing may be asked: of a server that completes nothing and would not understand it, or about arguments that are refused. */
async function completeNothing(status: 'success' | 'denied', { call, visit, reply, record }: Step): Promise<void> {
  await record.end({ status });
  const result = completionResult({ era: call.era, serverInfo: visit.gateway.serverInfo });
  reply.finish(200, [resultMessage(call.id, result)]);
  visit.gateway.metrics.ended(call.method, status);
}

/** What is called, as its server knows it. */
interface Work {
  readonly target: VisibleTarget;
  readonly nameMember: TargetMethod['member'];
  readonly name: string;
  readonly argumentsJson: string | undefined;
  readonly decision: Decision;
}

/** Sends the call to its server, or what the agent answers to the one that waits for it there. */
async function forward(work: Work, step: Step): Promise<void> {
  const { target, name, argumentsJson } = work;
  const { gateway, caller } = step.visit;
  const place = { agentId: callerName(caller), serverId: target.server.id, method: step.call.method, name, argumentsJson };
  const at = { serverEra: eraTowards(target.server, step.call.era), states: gateway.requestStates };
  const retry = bringsBack(step.call) ? await readRetry(step.call, place, at) : undefined;
  if (retry?.parked !== undefined) return resumeParked(retry.call, retry.parked, step);
  const resumed = retry === undefined ? step : { ...step, call: retry.call };
  if (!isLimited(work.decision, caller.agent, target.server)) return await forwardAdmitted(work, resumed, place);
  await withinLimits(limitsOn(work.decision, caller.agent, target), step, () => forwardAdmitted(work, resumed, place));
}

async function forwardAdmitted(work: Work, resumed: Step, place: StatePlace): Promise<void> {
  const { target } = work;
  const { gateway, caller } = resumed.visit;
  const cancellation = new Cancellation();
  const asking = openAsking(resumed, { target, place, cancellation });
  const asked: Step = asking.parked === undefined ? resumed : { ...resumed, call: asking.call, reply: asking.reply };
  const forget = openToCancels(cancellation, asked);
  const revocable = new RevocableCall(caller.agent.id, caller.keyId, target.server.id, (reason) => {
    cancellation.end(reason);
    asking.close(reason);
  });
  gateway.forwardedCalls.add(revocable, resumed.visit.live);
  try {
    if (resumed.reply instanceof HttpReply) resumed.reply.keepAlive();
    await exchange(callOf(work, asked, { asking, place, cancellation }), asked);
  } catch (error) {
    await refuseRequest(error, asked);
  } finally {
    gateway.forwardedCalls.remove(revocable);
    forget();
    asking.close();
  }
}

// Member by member: objects put together from others cost several times as much, for every call.
function callOf(
  { target, nameMember, name, argumentsJson }: Work,
  { visit, call, reply, session, record }: Step,
  { asking, place, cancellation }: { asking: Asking; place: StatePlace; cancellation: Cancellation },
): CallToServer {
  const { questioning, parked } = asking;
  const share = visit.gateway.upstreams.shareOf(visit.caller.agent.id, target.server.id);
  return { visit, call, target, nameMember, argumentsJson, session, reply, cancellation, name, place, questioning, parked, share, record };
}

async function exchange(work: CallToServer, { call, visit, reply, record }: Step): Promise<void> {
  const { gateway } = visit;
  const agentId = visit.caller.agent.id;
  const upstream = gateway.upstreams.of(work.target.server);
  upstream.enter(work.target.server.limits.concurrency, agentId);
  gateway.metrics.inFlight += 1;
  try {
    await record.intent(); // recorded before anything goes upstream
    record.sent();
    const answer = await upstream.watch(callServer(work, gateway.upstreams.wayOf(upstream, work.target.server, visit.caller)), agentId);
    const tookUs = record.upstreamUs ?? 0;
    await record.end({ status: answer.status, reason: answer.reason, result: answer.result, said: answer.said });
    if (answer.release === undefined) reply.finish(answer.httpStatus ?? 200, [answer.message]);
    else answer.release();
    gateway.metrics.ended(call.method, answer.status);
    gateway.metrics.forwarded((performance.now() - visit.startedAt) * 1000, tookUs);
  } finally {
    gateway.metrics.inFlight -= 1;
    upstream.leave(agentId);
    work.share.end(reply);
  }
}

const nothing = (): void => undefined;

/** In the modern era going away is how a client cancels; a legacy client says so, on any node, and may come back for other answers of its session. */
function openToCancels(cancellation: Cancellation, { call, visit, reply, session }: Step): () => void {
  if (call.era === 'modern') {
    reply.onGone(() => cancellation.cancel());
    return nothing;
  }
  const { runningCalls } = visit.gateway;
  const name = callName(callerName(visit.caller), session?.name, call.id);
  runningCalls.add(name, cancellation);
  return () => runningCalls.remove(name, cancellation);
}

/** Ends a request that a step refused: one row that says why, and the answer of the error table. */
async function refuseRequest(thrown: unknown, step: Omit<Step, 'session'>): Promise<void> {
  const { call, visit, reply, record } = step;
  const { status, code, error } = endingOf(thrown);
  if (code === 'node.internal') visit.gateway.logError(thrown, 'A request failed');
  let answered: unknown = error;
  try {
    if (code !== 'node.audit_unavailable') await record.end({ status, reason: saidByDecision.has(code) ? undefined : code });
  } catch (unrecorded) {
    answered = unrecorded; // what cannot be recorded is not answered
  }
  visit.gateway.metrics.ended(call.method, status);
  if (code === 'client.cancelled' && answered === error) return reply.finishSilently();
  const wire = errorMessage(answered, call.id, call.era);
  if (code === 'policy.arguments' && call.method === 'tools/call') {
    const result = toolErrorResult(error.entry.publicText, { era: call.era, serverInfo: visit.gateway.serverInfo });
    reply.finish(200, [resultMessage(call.id, result)]);
    return;
  }
  if (reply instanceof HttpReply)
    for (let at = 0; at + 1 < wire.headers.length; at += 2) reply.setHeader(wire.headers[at] ?? '', wire.headers[at + 1] ?? '');
  reply.finish(wire.status, [wire.message]);
}

/** Which grant or limit refused, and for which of its terms, is on the record already. */
const saidByDecision: ReadonlySet<string> = new Set(['policy.arguments', ...POLICY_LIMITS]);
