import { GatewayError } from '@portcullis/contracts/errors';
import { mismatchedHeaderParam, ownMember, type ClassifiedRequest } from '@portcullis/mcp';
import type { VisibleTarget } from '../view/agent-view.js';
import type { Visit } from '../visit.js';
import { declaredHeaders } from './declared-headers.js';

/** A modern client mirrors into headers what the tool says; whoever routes by them must not be told something else than the body. */
export function requireMirroredArguments(
  { definition }: VisibleTarget,
  { call, visit }: { readonly call: ClassifiedRequest; readonly visit: Visit },
): void {
  if (call.era !== 'modern') return;
  const declarations = declaredHeaders(definition);
  if (declarations.length === 0) return;
  const args = call.params && ownMember(call.params, 'arguments');
  const header = mismatchedHeaderParam(declarations, args, (name) => visit.head.protocolExtras?.get(name));
  if (header !== undefined) throw new GatewayError('client.header_mismatch', { header });
}
