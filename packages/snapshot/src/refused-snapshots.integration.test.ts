import { SNAPSHOT_SCHEMA_VERSION, snapshotKeys, type SignedHead, type SnapshotHead } from '@portcullis/contracts/snapshot';
import { describe, expect, test } from 'vitest';
import { encodeContent } from './content.js';
import { FakePublisher } from './testing/fake-publisher.js';
import { FollowRig, NEVER_MS } from './testing/follow-rig.js';
import { refuses, rigForEach, serves } from './testing/rig-for-each.js';

let rig: FollowRig;
rigForEach((opened) => {
  rig = opened;
});

describe('what must not be served', () => {
  /** A head, rightly signed, over revision 2, of which one content was spoilt. */
  async function spoil(which: 'root' | 'chunk', spoilt: (bytes: Buffer) => Buffer | string | undefined): Promise<SignedHead> {
    const { chunks, rootDigest } = rig.compile(2);
    await rig.store.putChunks(chunks);
    const digest = which === 'root' ? rootDigest : [...chunks].find(([, bytes]) => Buffer.from(bytes).includes('tool_2'))?.[0];
    const bytes = spoilt(Buffer.from(chunks.get(digest ?? '') ?? []));
    if (bytes === undefined) await rig.redis.del(snapshotKeys.chunk(digest ?? ''));
    else await rig.redis.set(snapshotKeys.chunk(digest ?? ''), bytes);
    return rig.head(2);
  }
  const flipped = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)));
  const rootOf = async (content: object): Promise<SignedHead> => {
    const { digest, bytes } = encodeContent(content);
    await rig.store.putChunks(new Map([[digest, bytes]]));
    return rig.head(2, { rootDigest: digest });
  };

  test.each([
    ['digest_mismatch', 'a flipped bit in a chunk', () => spoil('chunk', flipped)],
    ['digest_mismatch', 'a flipped bit in the root', () => spoil('root', flipped)],
    ['digest_mismatch', 'a truncated chunk', () => spoil('chunk', (bytes) => bytes.subarray(0, 30))],
    ['chunk_missing', 'a chunk that is gone', () => spoil('chunk', () => undefined)],
    ['chunk_too_large', 'a chunk of 20 MiB', () => spoil('chunk', () => 'x'.repeat(20 * 1024 * 1024))],
    ['chunk_malformed', 'a root of the wrong shape', () => rootOf({ schema: 1, revision: 2 })],
    ['chunk_misplaced', 'the root of another revision', async () => rig.head(2, { rootDigest: rig.compile(1).rootDigest })],
    ['schema_newer', 'a newer schema', async () => rig.head(2, { schema: SNAPSHOT_SCHEMA_VERSION + 1 })],
    ['expired', 'a head past its end', async () => rig.head(2, { notAfter: Date.now() - NEVER_MS })],
    ['issued_in_future', 'a head from the future', async () => rig.head(2, { issuedAt: Date.now() + NEVER_MS })],
    ['rollback', 'an older revision in a new head', async () => rig.head(0)],
    ['rollback', 'an older epoch', async () => rig.head(2, { epoch: 0 })],
    ['signature_invalid', 'another key under a known name', async () => new FakePublisher().head(JSON.parse(rig.head(2).body) as SnapshotHead)],
    ['signature_invalid', 'a body that was altered', async () => ({ ...rig.head(2), body: rig.head(3).body })],
    [
      'key_unknown',
      'a key of somebody else',
      async () => new FakePublisher('evil').head({ ...(JSON.parse(rig.head(2).body) as SnapshotHead), keyId: 'evil' }),
    ],
    ['head_malformed', 'no head', async () => ({ body: '{}', signature: '' })],
    ['head_malformed', 'a head of 1 MiB', async () => ({ body: 'x'.repeat(1024 * 1024), signature: '' })],
  ] as const)('%s: %s is refused, and the good snapshot goes on until the next', async (reason, _what, spoilt) => {
    const follower = rig.follow();
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    await rig.store.publishHead(await spoilt());
    await refuses(rig, reason);
    expect(follower.current()?.revision).toBe(1);
    expect(follower.status()).toMatchObject({ refused: { reason }, refusedCounts: { [reason]: 1 } });
    expect(rig.refusals).toEqual([reason]);
    await rig.publish(4);
    await serves(follower, 4);
    expect(follower.status().refused).toBeNull();
  });

  test('text that is no head, and keys of another type, do no harm', async () => {
    const follower = rig.follow({ pollMs: 30 });
    await rig.publish(1);
    await serves(follower, 1);
    await rig.redis.del(snapshotKeys.head);
    await rig.redis.lpush(snapshotKeys.head, 'x');
    for (const text of ['', '{', 'null', '[]', '"x"', '{"body":1}']) await rig.redis.publish(snapshotKeys.channel, text);
    await refuses(rig, 'head_malformed');
    await rig.redis.del(snapshotKeys.head);
    await rig.publish(2);
    await serves(follower, 2);
    expect(rig.applied).toEqual([1, 2]);
  });
});
