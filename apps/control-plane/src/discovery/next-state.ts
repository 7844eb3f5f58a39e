import type { DefinitionState } from '@portcullis/database';

/** What is known of a definition: its state, the pin of what was last offered, and of what was approved. */
export interface KnownDefinition {
  readonly state: DefinitionState;
  readonly hash: string;
  readonly approvedHash: string | null;
}

/**
 * The state of a definition that is offered (again) under this hash. Only what was approved, byte for byte in its canonical form, is served;
 * what was rejected stays so until it changes.
 */
export function nextState(known: KnownDefinition, offeredHash: string): DefinitionState {
  if (known.approvedHash !== null) return known.approvedHash === offeredHash ? 'approved' : 'changed';
  return known.state === 'rejected' && known.hash === offeredHash ? 'rejected' : 'pending';
}
