import type { DefinitionKind } from '@portcullis/contracts/names';
import { GatewayError } from '@portcullis/contracts/errors';
import { isJsonObject, ownMember, type ClassifiedRequest, type JsonObject } from '@portcullis/mcp';
import type { AgentView, VisibleTarget } from '../view/agent-view.js';

/** Which kind of target a method calls, and the member of its params that names it. */
export interface TargetMethod {
  readonly kind: DefinitionKind;
  readonly member: 'name' | 'uri' | 'ref';
}

const METHODS: ReadonlyMap<string, TargetMethod> = new Map([
  ['tools/call', { kind: 'tool', member: 'name' }],
  ['prompts/get', { kind: 'prompt', member: 'name' }],
  ['resources/read', { kind: 'resource', member: 'uri' }],
]);

const REFERENCES: ReadonlyMap<unknown, TargetMethod> = new Map([
  ['ref/prompt', { kind: 'prompt', member: 'ref' }],
  ['ref/resource', { kind: 'resource_template', member: 'ref' }],
]);

/** What a method calls; undefined for one that calls nothing. `client.invalid_params` for a completion of neither prompt nor resource. */
export function targetMethodOf(call: ClassifiedRequest): TargetMethod | undefined {
  if (call.method !== 'completion/complete') return METHODS.get(call.method);
  const method = REFERENCES.get(ownMember(referenceOf(call), 'type'));
  if (method === undefined) throw new GatewayError('client.invalid_params', { member: 'ref' });
  return method;
}

function referenceOf({ params }: ClassifiedRequest): JsonObject {
  const reference = params === undefined ? undefined : ownMember(params, 'ref');
  return isJsonObject(reference) ? reference : {};
}

/** The name a call gives; `client.invalid_params` without one. */
export function askedName(call: ClassifiedRequest, { kind, member }: TargetMethod): string {
  const holder = member === 'ref' ? referenceOf(call) : (call.params ?? {});
  const name = ownMember(holder, member === 'ref' ? (kind === 'prompt' ? 'name' : 'uri') : member);
  if (typeof name !== 'string') throw new GatewayError('client.invalid_params', { member });
  return name;
}

/** Longest name that is looked up. */
export const NAME_CHARS_MAX = 2048;

/** The target a name stands for at this endpoint, or undefined for whatever the agent cannot see, for whatever reason. */
export function resolveTarget(view: AgentView, method: TargetMethod, name: string): VisibleTarget | undefined {
  if (name.length > NAME_CHARS_MAX) return undefined;
  const found = view.find(method.kind, name);
  // A completion may name a resource that has no template.
  return found === undefined && method.member === 'ref' && method.kind === 'resource_template' ? view.find('resource', name) : found;
}

/**
 * The arguments that policy weighs: those that are forwarded, none where a call has none; of a completion the one to complete, as far as it is
 * written, and those beside it. Undefined for what is no object, which no condition can be about.
 */
export function weighedArguments({ params }: ClassifiedRequest, { member }: TargetMethod): JsonObject | undefined {
  if (member === 'ref') return completedArguments(params);
  const args = params === undefined ? undefined : ownMember(params, 'arguments');
  return args === undefined ? {} : isJsonObject(args) ? args : undefined;
}

function completedArguments(params: JsonObject | undefined): JsonObject | undefined {
  const argument = params && ownMember(params, 'argument');
  const [name, value] = isJsonObject(argument) ? [ownMember(argument, 'name'), ownMember(argument, 'value')] : [];
  if (typeof name !== 'string' || typeof value !== 'string') return undefined;
  const context = params && ownMember(params, 'context');
  const beside = isJsonObject(context) ? ownMember(context, 'arguments') : undefined;
  return { ...(isJsonObject(beside) ? beside : {}), [name]: value };
}
