import type { Definition, Server } from '@portcullis/database';

/**
 * Whether agents that are granted a definition have it: what was approved, and at servers whose operator chose so also what differs from it in
 * descriptions only. Approved instructions stay while others wait: nothing is done by them. It is always the approved text that is served.
 */
export function isServed(
  { kind, state, descriptionsOnly, approvedHash }: Pick<Definition, 'kind' | 'state' | 'descriptionsOnly' | 'approvedHash'>,
  { keepServing }: Pick<Server, 'keepServing'>,
): boolean {
  if (approvedHash === null) return false;
  if (state !== 'changed') return state === 'approved';
  return kind === 'instructions' || (descriptionsOnly && keepServing === 'descriptions-only');
}
