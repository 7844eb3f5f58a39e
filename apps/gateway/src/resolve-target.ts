import { targetKindOf, type DefinitionKind } from '@portcullis/contracts/names';
import { GatewayError } from '@portcullis/contracts/errors';
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
 * What the trail says about a name that led nowhere: the server it points to, where there is one. The agent never learns it, and the answer does
 * not wait for it.
 */
export function describeAsked(name: string, { slug, live }: Pick<Visit, 'slug' | 'live'>): Asked {
  if (slug !== null) return { server: live.serversBySlug.get(slug) ?? null, name };
  const split = /^([a-z0-9-]{1,32}?)(?:__|:|\.)(.+)$/s.exec(name.slice(0, NAME_CHARS_MAX));
  const server = split === null ? undefined : live.serversBySlug.get(split[1] ?? '');
  return server === undefined ? { server: null, name } : { server, name: split?.[2] ?? name };
}
