import { expect, test } from 'vitest';
import { hashBlock, NO_BLOCK, writeBlock } from './block.js';
import { TrailVerifier } from './trail-verifier.js';
import { TrustedKeys } from './trusted-keys.js';

const heading = { type: 'proof' as const, version: 1 as const, madeAt: '2026-01-01T00:00:00.000Z', keys: [], nodeKeys: [], dropped: [] };
const end = { type: 'end' as const, stored: [], unsealedEvents: 0, isNewest: true };
const head = { n: 3, hash: 'a'.repeat(64), events: 1, sealedAt: '2025-12-31T00:00:00.000Z', keyId: 'k', publicKey: 'p', signature: 's' };

/** What is said of a trail in which there is nothing at all. */
function verdictOnNothing(anchors: readonly (typeof head)[], isNewest: boolean) {
  const verifier = new TrailVerifier(new TrustedKeys([], () => false));
  verifier.take(heading);
  for (const told of anchors) verifier.takeHead(told);
  const { verdict, findings } = verifier.end({ ...end, isNewest });
  return [verdict, ...findings.map(({ kind }) => kind)];
}

test('a trail of which nothing is left is never verified: only an anchor could say that there was none', () => {
  expect(verdictOnNothing([], true)).toEqual(['unanchored']);
  expect(verdictOnNothing([head], true)).toEqual(['failed', 'head_rolled_back']);
  expect(verdictOnNothing([head], false)).toEqual(['unanchored']);
});

const BLOCKS = 600;
const sealedAt = '2025-12-31T00:00:00.000Z';

/** Blocks that cover nothing, each after the one before. */
function chain(): { content: string; segments: string }[] {
  const blocks: { content: string; segments: string }[] = [];
  let prev = NO_BLOCK;
  for (let n = 1; n <= BLOCKS; n += 1) {
    const block = writeBlock({ n, kind: 'rows', prev, transactions: ['1', '1'], links: [], sealedAt }, []);
    blocks.push(block);
    prev = hashBlock(block.content);
  }
  return blocks;
}

test('every head that was ever told has to be of the block that is here: one of a chain begun anew does not take the place of the one before', () => {
  const blocks = chain();
  const headOf = (n: number, hash = hashBlock(blocks[n - 1]?.content ?? '')) => ({ n, hash, sealedAt });
  const result = (told: readonly { n: number; hash: string; sealedAt: string }[]) => {
    const verifier = new TrailVerifier(new TrustedKeys([{ keyId: 'k', publicKey: 'p' }], () => true));
    verifier.take(heading);
    for (const block of blocks) verifier.take({ type: 'block', block: { ...block, keyId: 'k', signature: 's' } });
    for (const each of told) verifier.takeHead(each);
    return verifier.end(end);
  };
  const all = blocks.map((_, place) => headOf(place + 1));
  expect(result(all)).toMatchObject({ verdict: 'verified', anchoredThrough: BLOCKS, findings: [] });
  expect(result(all.slice(0, 7))).toMatchObject({ verdict: 'unanchored', anchoredThrough: 7 });
  const before = [headOf(412, 'b'.repeat(64)), headOf(300, 'b'.repeat(64))];
  expect(result([...before, ...all])).toMatchObject({
    verdict: 'failed',
    findings: [
      { kind: 'chain_broken', block: 300 },
      { kind: 'chain_broken', block: 412 },
    ],
  });
  expect(result([...all, headOf(BLOCKS + 1)])).toMatchObject({ verdict: 'failed', findings: [{ kind: 'head_rolled_back', block: BLOCKS + 1 }] });
});
