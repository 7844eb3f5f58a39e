import { GatewayError } from '@portcullis/contracts/errors';
import { isJsonObject, ownMember, type ClassifiedRequest, type Era, type JsonObject } from '@portcullis/mcp';
import type { RequestStates, StateContent, StatePlace } from './request-states.js';

/** What a call goes on with: the call as it is to be sent, or one that a node holds open. */
export interface Retry {
  readonly call: ClassifiedRequest;
  readonly parked?: { readonly content: Extract<StateContent, { kind: 'parked' }>; readonly responses: JsonObject | undefined };
}

/** A call that brings something back from an earlier `input_required`. */
type ReturningCall = ClassifiedRequest & { readonly params: JsonObject };

/** Most calls bring nothing back, and `readRetry` need not be asked. */
export const bringsBack = (call: ClassifiedRequest): call is ReturningCall => call.params !== undefined && hasReturned(call.params);

const hasReturned = (params: JsonObject): boolean => Object.hasOwn(params, 'requestState') || Object.hasOwn(params, 'inputResponses');

/** Reads what a call brings back; `client.invalid_state` unless it is ours, this call's, unused and in time. */
export async function readRetry(call: ReturningCall, place: StatePlace, at: { serverEra: Era; states: RequestStates }): Promise<Retry> {
  const { params } = call;
  // Members of the modern era: from a legacy client they are no state that anybody gave it.
  if (call.era === 'legacy') return { call: withRetryMembers(call, {}) };
  const state = ownMember(params, 'requestState');
  const responses = ownMember(params, 'inputResponses');
  // A server that keeps no state may be told its answers straight away; to a legacy server they mean nothing.
  if (state === undefined) return at.serverEra === 'modern' ? { call } : { call: withRetryMembers(call, {}) };
  if (typeof state !== 'string') throw new GatewayError('client.invalid_params', { member: 'requestState' });
  const content = await at.states.open(state, place);
  if (content === undefined || (responses !== undefined && !isJsonObject(responses))) throw new GatewayError('client.invalid_state');
  if (content.kind === 'parked') return { call, parked: { content, responses } };
  if (!Object.keys(responses ?? {}).every((key) => content.keys.includes(key))) throw new GatewayError('client.invalid_state', { keys: true });
  if (content.kind === 'again') return { call: withRetryMembers(call, {}) };
  return { call: withRetryMembers(call, { ...(responses !== undefined && { inputResponses: responses }), requestState: content.state }) };
}

/** The same call with these members for what it brings back, and no others. */
export function withRetryMembers(
  call: ClassifiedRequest,
  members: { readonly inputResponses?: JsonObject; readonly requestState?: string },
): ClassifiedRequest {
  const { inputResponses: _responses, requestState: _state, ...params } = call.params ?? {};
  return { ...call, params: { ...params, ...members } };
}
