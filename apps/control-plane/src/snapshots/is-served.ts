import type { Definition, Server } from '@portcullis/database';

/**
 * Whether agents that are granted a definition have it: what was approved, and at servers whose operator chose so also what differs from it in
 * descriptions only. It is always the approved text that is served.
 */
export function isServed(
  { state, descriptionsOnly, approvedHash }: Pick<Definition, 'state' | 'descriptionsOnly' | 'approvedHash'>,
  { keepServing }: Pick<Server, 'keepServing'>,
): boolean {
  if (approvedHash === null) return false;
  return state === 'approved' || (state === 'changed' && descriptionsOnly && keepServing === 'descriptions-only');
}
