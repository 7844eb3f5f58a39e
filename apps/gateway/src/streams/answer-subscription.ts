import { GatewayError } from '@portcullis/contracts/errors';
import { emptyResult, isJsonObject, ownMember, resultMessage, type ClassifiedRequest, type JsonObject } from '@portcullis/mcp';
import { CallRecord } from '../audit/call-record.js';
import { decideTarget } from '../policy/decide-target.js';
import { recordShadow } from '../policy/record-shadow.js';
import { HttpReply } from '../reply/http-reply.js';
import { requireSession } from '../session/named-session.js';
import type { Step } from '../step.js';
import { describeAsked } from '../target/describe-asked.js';
import { askedName, resolveTarget, type TargetMethod } from '../target/resolve-target.js';
import { unknownTarget } from '../target/unknown-target.js';
import type { AgentView } from '../view/agent-view.js';
import { listSet, type ListKind } from './list-kinds.js';
import { RESOURCES_MAX } from './session-streams.js';
import { streamOwner } from './stream-owner.js';

const RESOURCE: TargetMethod = { kind: 'resource', member: 'uri' };

/** Whether a request is about being told of changes, which each era asks for in its own way. */
export function isSubscription({ era, method }: ClassifiedRequest): boolean {
  return era === 'modern' ? method === 'subscriptions/listen' : method === 'resources/subscribe' || method === 'resources/unsubscribe';
}

/** Opens a listen, or notes what a legacy session wants to be told of; only what the agent may read is taken. */
export async function answerSubscription(view: AgentView, step: Step): Promise<void> {
  if (step.call.method === 'subscriptions/listen') await listen(view, step);
  else if (step.call.method === 'resources/subscribe') await subscribe(view, step);
  else await unsubscribe(step);
}

interface Filter {
  readonly lists: readonly ListKind[];
  readonly uris: readonly string[];
}

/** `subscriptions/listen` (MCP 2026-07-28 §Subscriptions): the answer is a stream that begins with what of the filter is honoured. */
async function listen(view: AgentView, { call, visit, reply, record }: Step): Promise<void> {
  const { gateway, caller, live } = visit;
  if (!(reply instanceof HttpReply)) throw new GatewayError('client.malformed');
  const { lists, uris } = filterOf(call.params);
  const asked = uris.map((uri) => {
    const row = new CallRecord(visit, { method: call.method, era: call.era, traceparent: call.meta && ownMember(call.meta, 'traceparent') });
    return { uri, row, mayRead: decideReading(uri, view, { visit, record: row }) };
  });
  const granted = asked.filter(({ mayRead }) => mayRead).map(({ uri }) => uri);
  await gateway.streams.takePlace(caller.agent.id, async () => {
    if (live.settings.auditLists) await record.end({ status: 'success' });
    await Promise.all(asked.map(({ row, mayRead }) => row.end({ status: mayRead ? 'success' : 'denied' })));
  });
  const facts = {
    ...streamOwner(visit),
    listenId: call.id,
    session: undefined,
    lists: listSet(...lists),
  };
  const stream = gateway.streams.open(reply.openStream(), facts);
  const flags = Object.fromEntries(lists.map((kind) => [`${kind}ListChanged`, true]));
  stream.acknowledge(granted.length === 0 ? flags : { ...flags, resourceSubscriptions: granted });
  if (granted.length > 0) gateway.streams.resources.set(stream, granted);
  gateway.metrics.ended(call.method, 'success');
}

function filterOf(params: JsonObject | undefined): Filter {
  const filter = params === undefined ? undefined : ownMember(params, 'notifications');
  if (!isJsonObject(filter)) throw new GatewayError('client.invalid_params', { member: 'notifications' });
  const lists = (['tools', 'prompts', 'resources'] as const).filter((kind) => {
    const wanted = ownMember(filter, `${kind}ListChanged`);
    if (wanted !== undefined && typeof wanted !== 'boolean') throw new GatewayError('client.invalid_params', { member: `${kind}ListChanged` });
    return wanted === true;
  });
  const uris = ownMember(filter, 'resourceSubscriptions') ?? [];
  if (!isTexts(uris)) throw new GatewayError('client.invalid_params', { member: 'resourceSubscriptions' });
  if (uris.length > RESOURCES_MAX) throw new GatewayError('limit.streams', { resourcesMax: RESOURCES_MAX });
  return { lists, uris: [...new Set(uris)] };
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((entry) => typeof entry === 'string');

async function subscribe(view: AgentView, { call, visit, reply, record, session }: Step): Promise<void> {
  const uri = askedName(call, RESOURCE);
  if (!decideReading(uri, view, { visit, record })) {
    await record.end({ status: 'denied' });
    reply.finish(200, [unknownTarget(call, uri)]);
    visit.gateway.metrics.ended(call.method, 'denied');
    return;
  }
  // Without a session there is no stream that could be told.
  await visit.gateway.streams.sessions.subscribe(requireSession(session), uri);
  await confirm({ call, visit, reply, record });
}

/** Whether the agent may be told of a resource, which is whether it may read it; puts on record what was asked and decided. */
function decideReading(uri: string, view: AgentView, { visit, record }: Pick<Step, 'visit' | 'record'>): boolean {
  const { now } = visit;
  const target = resolveTarget(view, RESOURCE, uri);
  if (target === undefined) {
    record.asked(describeAsked(uri, RESOURCE.kind, { visit, view, args: undefined }));
    return false;
  }
  const decision = decideTarget(view, target, undefined, now);
  record.decided(target, decision);
  if (view.table.trial !== undefined) recordShadow(record, target, { view, args: undefined, now, decision });
  return decision.effect !== 'deny';
}

/** Ends a subscription; what was granted when it began need not be granted any more. */
async function unsubscribe({ call, visit, reply, record, session }: Step): Promise<void> {
  const uri = askedName(call, RESOURCE);
  await visit.gateway.streams.sessions.unsubscribe(requireSession(session), uri);
  await confirm({ call, visit, reply, record });
}

async function confirm({ call, visit, reply, record }: Omit<Step, 'session'>): Promise<void> {
  await record.end({ status: 'success' });
  reply.finish(200, [resultMessage(call.id, emptyResult({ era: call.era, serverInfo: visit.gateway.serverInfo }))]);
  visit.gateway.metrics.ended(call.method, 'success');
}
