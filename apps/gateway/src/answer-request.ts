import { GatewayError } from '@portcullis/contracts/errors';
import { completionResult, ownMember, resultMessage, type ClassifiedRequest } from '@portcullis/mcp';
import { CallRecord } from './audit/call-record.js';
import { claimedAgent } from './caller/claimed-agent.js';
import { forward, type DecidedCall } from './forward.js';
import { requireBudget } from './limits/require-budget.js';
import { answerOwnTool, isOwnTool } from './own-tools/answer-own-tool.js';
import { decideTarget, refusedAsNoObject } from './policy/decide-target.js';
import { withPinnedArguments } from './policy/pinned-call.js';
import { recordShadow } from './policy/record-shadow.js';
import { HttpReply } from './reply/http-reply.js';
import { refuseRequest } from './reply/refuse-request.js';
import type { Reply } from './reply/reply.js';
import type { Session } from './session/agent-sessions.js';
import { namedSession } from './session/named-session.js';
import { setLogLevel } from './session/set-log-level.js';
import type { Step } from './step.js';
import { answerSubscription, isSubscription } from './streams/answer-subscription.js';
import { describeAsked } from './target/describe-asked.js';
import { requireMirroredArguments } from './target/require-mirrored-arguments.js';
import { askedName, resolveTarget, targetMethodOf, weighedArguments, type TargetMethod } from './target/resolve-target.js';
import { unknownTarget } from './target/unknown-target.js';
import { ownNameOf, type AgentView } from './view/agent-view.js';
import { answerLocally, isHandshakeOrList, type LocalAnswer } from './view/answer-locally.js';
import { serverDeclares } from './view/server-capabilities.js';
import type { Visit } from './visit.js';

/** One JSON-RPC request, from era to last byte: locally if it is a list or handshake, else decided, recorded and forwarded. */
export async function answerRequest(call: ClassifiedRequest, visit: Visit, reply: Reply): Promise<void> {
  const { gateway, live, caller, slug, now } = visit;
  const record = new CallRecord(visit, { method: call.method, era: call.era, traceparent: call.meta && ownMember(call.meta, 'traceparent') });
  record.claimed(claimedAgent(call, visit));
  try {
    const session = sessionOf(call, visit);
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
const sessionOf = ({ era, method }: ClassifiedRequest, visit: Visit): Session | undefined =>
  era === 'modern' || method === 'initialize' ? undefined : namedSession(visit);

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
    return refuseTarget(name, step);
  }
  const weighed = weighedArguments(call, method);
  const decided = decideTarget(view, target, weighed, visit.now);
  const decision = decided.effect === 'conditional' ? refusedAsNoObject(decided) : decided;
  record.decided(target, decision);
  if (view.table.trial !== undefined) recordShadow(record, target, { view, args: weighed, now: visit.now, decision });
  if (decision.refused === 'target') return refuseTarget(name, step);
  if (decision.refused === 'arguments' && method.member === 'ref') return completeNothing('denied', step);
  if (decision.refused === 'arguments') throw new GatewayError('policy.arguments');
  if (isOwnTool(target)) return answerOwnTool(target, step);
  requireMirroredArguments(target, step);
  if (visit.caller.agent.budgetSpentUntil !== undefined) requireBudget(visit.caller.agent.budgetSpentUntil, step);
  if (method.member === 'ref' && !serverDeclares(target.server, 'completions')) return completeNothing('success', step);
  const decidedCall: DecidedCall = { target, nameMember: method.member, name: ownNameOf(target), argumentsJson, decision };
  if (decision.pinned === null) return await forward(decidedCall, step); // returned unawaited, a promise takes two rounds more
  const pinned = withPinnedArguments(call, weighed, decision.pinned);
  record.arguments(pinned.argumentsJson);
  await forward({ ...decidedCall, argumentsJson: pinned.argumentsJson }, { ...step, call: pinned.call });
}

/** The answer of an unknown target, which is also that of every other the agent cannot use. */
async function refuseTarget(name: string, { call, visit, reply, record }: Step): Promise<void> {
  await record.end({ status: 'denied' });
  reply.finish(200, [unknownTarget(call, name)]);
  visit.gateway.metrics.ended(call.method, 'denied');
}

/** The answer where nothing may be asked: of a server that completes nothing and would not understand it, or about arguments that are refused. */
async function completeNothing(status: 'success' | 'denied', { call, visit, reply, record }: Step): Promise<void> {
  await record.end({ status });
  const result = completionResult({ era: call.era, serverInfo: visit.gateway.serverInfo });
  reply.finish(200, [resultMessage(call.id, result)]);
  visit.gateway.metrics.ended(call.method, status);
}
