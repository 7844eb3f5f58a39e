import type { AgentEntry, AgentKeyEntry } from '@portcullis/contracts/snapshot';
import { identityKeyId } from '@portcullis/contracts/token-issuers';

/** An agent's keys, and what issuers call it as keys that no secret opens: whichever it calls with, its calls end when that is gone. */
export function keysOfAgent({ keys, identities }: Pick<AgentEntry, 'keys' | 'identities'>): readonly AgentKeyEntry[] {
  if (identities === undefined) return keys;
  return [...keys, ...identities.map(({ issuer, subject }) => ({ id: identityKeyId(issuer, subject), hash: '', pepperId: '', expiresAt: null }))];
}
