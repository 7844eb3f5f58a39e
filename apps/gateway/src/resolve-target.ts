import { targetKindOf, type DefinitionKind } from '@portcullis/contracts/names';
import { GatewayError } from '@portcullis/contracts/errors';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { ownMember, type ClassifiedRequest } from '@portcullis/mcp';
import { decide, reasonCodes, type Decision } from '@portcullis/policy';
import type { Asked } from './audit/call-record.js';
import type { AgentView, VisibleTarget } from './view/agent-view.js';
import type { Visit } from './visit.js';

/** Which kind of target a method calls, and the member of its params that names it. */
export interface TargetMethod {
  readonly kind: DefinitionKind;
  readonly member: 'name' | 'uri';
}

const METHODS: ReadonlyMap<string, TargetMethod> = new Map([
  ['tools/call', { kind: 'tool', member: 'name' }],
  ['prompts/get', { kind: 'prompt', member: 'name' }],
  ['resources/read', { kind: 'resource', member: 'uri' }],
]);

export function targetMethodOf(method: string): TargetMethod | undefined {
  return METHODS.get(method);
}

/** The name a call gives; `client.invalid_params` without one. */
export function askedName(call: ClassifiedRequest, { member }: TargetMethod): string {
  const name = call.params === undefined ? undefined : ownMember(call.params, member);
  if (typeof name !== 'string') throw new GatewayError('client.invalid_params', { member });
  return name;
}

const NAME_CHARS_MAX = 2048;

/** The target a name stands for at this endpoint, or undefined for whatever the agent cannot see, for whatever reason. */
export function resolveTarget(view: AgentView, method: TargetMethod, name: string): VisibleTarget | undefined {
  return name.length > NAME_CHARS_MAX ? undefined : view.find(method.kind, name);
}

/** The one decision about a target: the same for calls, reads and prompts, and the one that made the lists. */
export function decideTarget(view: AgentView, target: VisibleTarget, args: ClassifiedRequest['params'], now: number): Decision {
  const { server, definition, wire } = target;
  if (definition.kind === 'resource_template') {
    // The template is what was granted; a grant that denies the very URI still outweighs it.
    const exact = decide(view.table, { serverId: server.id, kind: 'resources', name: wire }, args, now);
    if (exact.reasons[0]?.code === reasonCodes.deniedByGrant) return exact;
  }
  return decide(view.table, { serverId: server.id, kind: targetKindOf[definition.kind], name: definition.name }, args, now);
}

/**
 * What the trail says about a name that led nowhere: the server it points to, where there is one, and why that did not do. The agent never learns
 * it.
 */
export function describeAsked(name: string, kind: DefinitionKind, at: { visit: Pick<Visit, 'slug' | 'live' | 'now'>; view: AgentView }): Asked {
  const { visit, view } = at;
  const { server, own } = pointedAt(name, visit);
  if (server === undefined) return { server: null, name, reason: 'unknown_server' };
  if (!server.enabled) return { server, name: own, reason: 'server_disabled' };
  if (!server.definitions.some((definition) => definition.kind === kind && definition.name === own))
    return { server, name: own, reason: 'not_offered' };
  const decision = decide(view.table, { serverId: server.id, kind: targetKindOf[kind], name: own }, undefined, visit.now);
  return { server, name: own, reason: decision.reasons[0]?.code ?? 'unknown_name' };
}

function pointedAt(name: string, { slug, live }: Pick<Visit, 'slug' | 'live'>): { server: ServerEntry | undefined; own: string } {
  if (slug !== null) return { server: live.serversBySlug.get(slug), own: name };
  const [, first, rest] = /^([a-z0-9-]{1,32}?)(?:__|:|\.)(.+)$/s.exec(name.slice(0, NAME_CHARS_MAX)) ?? [];
  const server = first === undefined ? undefined : live.serversBySlug.get(first);
  return { server, own: server === undefined ? name : (rest ?? name) };
}
