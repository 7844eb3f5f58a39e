import type { Decision } from '@portcullis/policy';
import { callerName } from './caller/authenticate.js';
import { Cancellation } from './cancel/cancellation.js';
import { RevocableCall } from './cancel/forwarded-calls.js';
import { callName } from './cancel/running-calls.js';
import { isLimited, limitsOn } from './limits/limits-on.js';
import { withinLimits } from './limits/within-limits.js';
import { openAsking, type Asking } from './questions/open-asking.js';
import { bringsBack, readRetry } from './questions/read-retry.js';
import type { StatePlace } from './questions/request-states.js';
import { resumeParked } from './questions/resume-parked.js';
import { HttpReply } from './reply/http-reply.js';
import { refuseRequest } from './reply/refuse-request.js';
import type { Step } from './step.js';
import type { TargetMethod } from './target/resolve-target.js';
import { callServer } from './upstream/call-server.js';
import type { CallToServer } from './upstream/call-to-server.js';
import type { VisibleTarget } from './view/agent-view.js';
import { eraTowards } from './view/era-towards.js';

/** A call that policy allows: its target as the server knows it, and with which arguments. */
export interface DecidedCall {
  readonly target: VisibleTarget;
  readonly nameMember: TargetMethod['member'];
  readonly name: string;
  readonly argumentsJson: string | undefined;
  readonly decision: Decision;
}

/** Sends the call to its server, or what the agent answers to the one that waits for it there; within what limits leave, and answered in every case. */
export async function forward(work: DecidedCall, step: Step): Promise<void> {
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

async function forwardAdmitted(work: DecidedCall, resumed: Step, place: StatePlace): Promise<void> {
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
  { target, nameMember, name, argumentsJson }: DecidedCall,
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
