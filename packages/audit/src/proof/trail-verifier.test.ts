import { expect, test } from 'vitest';
import { TrailVerifier } from './trail-verifier.js';
import { TrustedKeys } from './trusted-keys.js';

const heading = { type: 'proof' as const, version: 1 as const, madeAt: '2026-01-01T00:00:00.000Z', keys: [], nodeKeys: [], dropped: [] };
const end = { type: 'end' as const, stored: [], unsealedEvents: 0, isNewest: true };
const head = { n: 3, hash: 'a'.repeat(64), events: 1, sealedAt: '2025-12-31T00:00:00.000Z', keyId: 'k', publicKey: 'p', signature: 's' };

/** What is said of a trail in which there is nothing at all. */
function verdictOnNothing(anchors: readonly (typeof head)[], isNewest: boolean) {
  const verifier = new TrailVerifier(new TrustedKeys([], () => false), anchors);
  verifier.take(heading);
  const { verdict, findings } = verifier.end({ ...end, isNewest });
  return [verdict, ...findings.map(({ kind }) => kind)];
}

test('a trail of which nothing is left is never verified: only an anchor could say that there was none', () => {
  expect(verdictOnNothing([], true)).toEqual(['unanchored']);
  expect(verdictOnNothing([head], true)).toEqual(['failed', 'head_rolled_back']);
  expect(verdictOnNothing([head], false)).toEqual(['unanchored']);
});
