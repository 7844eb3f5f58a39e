import { SNAPSHOT_SCHEMA_VERSION, type SnapshotHead } from '@portcullis/contracts/snapshot';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeContent } from './content.js';
import { FakePublisher } from './testing/fake-publisher.js';
import { judgeHead } from './judge-head.js';
import { openHead, parseSignedHead } from './signed-head.js';

const now = 1_000_000_000;
const [rootDigest, otherRoot] = ['a'.repeat(64), 'b'.repeat(64)];
const head = (over: Partial<SnapshotHead> = {}): SnapshotHead => ({
  epoch: 1,
  revision: 5,
  schema: 1,
  rootDigest,
  issuedAt: now,
  notAfter: now + 1_000,
  keyId: 'key-1',
  ...over,
});
const judge = (one: SnapshotHead, served: SnapshotHead | undefined = head(), floor?: SnapshotHead) => judgeHead(one, { served, floor, now });

describe('judgeHead', () => {
  test('takes what is newer, confirms what is the same, ignores what is old news', () => {
    expect(judgeHead(head(), { served: undefined, floor: undefined, now })).toBe('take');
    expect(judge(head({ revision: 6, rootDigest: otherRoot }))).toBe('take');
    expect(judge(head({ revision: 6, issuedAt: now - 1 }))).toBe('take'); // another publisher's clock may be behind
    expect(judge(head({ epoch: 2, revision: 1 }))).toBe('take');
    expect(judge(head({ issuedAt: now + 1 }))).toBe('confirm');
    expect(judge(head())).toBe('ignore');
    expect(judge(head({ revision: 4, issuedAt: now - 1_000 }))).toBe('ignore'); // overtaken on the way
  });

  test.each([
    ['rollback', { revision: 4, issuedAt: now + 1 }],
    ['rollback', { revision: 4, issuedAt: now - 60_000 }],
    ['rollback', { epoch: 0, revision: 99 }],
    ['expired', { revision: 6, notAfter: now - 10 * 60_000 }],
    ['issued_in_future', { revision: 6, issuedAt: now + 10 * 60_000 }],
    ['schema_newer', { revision: 6, schema: SNAPSHOT_SCHEMA_VERSION + 1 }],
  ] satisfies [string, Partial<SnapshotHead>][])('refuses as %s: %o', (reason, over) => {
    expect(() => judge(head({ issuedAt: now + 1, ...over }))).toThrow(reason);
  });

  test('with nothing loaded, what was once served is still the floor', () => {
    expect(() => judgeHead(head({ revision: 4 }), { served: undefined, floor: head(), now })).toThrow('rollback');
    expect(judgeHead(head(), { served: undefined, floor: head(), now })).toBe('take');
  });

  test('epoch and revision never go back', () => {
    const some = fc.record({ epoch: fc.nat(2), revision: fc.nat(3), issuedAt: fc.integer({ min: now - 20_000, max: now + 5 }) }).map(head);
    fc.assert(
      fc.property(some, some, (one, served) => {
        fc.pre(one.epoch < served.epoch || (one.epoch === served.epoch && one.revision < served.revision));
        let judgement = 'refused';
        try {
          judgement = judge(one, served);
        } catch {}
        expect(['refused', 'ignore']).toContain(judgement);
      }),
    );
  });
});

describe('openHead', () => {
  const publisher = new FakePublisher();
  const signed = publisher.head({ revision: 1, rootDigest, issuedAt: now });
  const open = (over: Partial<typeof signed>) => () => openHead({ ...signed, ...over }, publisher.verify);

  test('gives back what was signed', () => {
    expect(openHead(parseSignedHead(JSON.stringify(signed)), publisher.verify)).toMatchObject({ revision: 1, rootDigest, issuedAt: now });
  });

  test('the signature covers the exact bytes: the same content written otherwise is refused', () => {
    expect(open({ body: JSON.stringify(JSON.parse(signed.body), null, 1) })).toThrow('signature_invalid');
    expect(open({ body: `${signed.body} ` })).toThrow('signature_invalid');
    expect(open({ body: signed.body.replace('"revision":1', '"revision":2') })).toThrow('signature_invalid');
  });

  test('a key this node was not given, and a known name with another key, are refused', () => {
    expect(() => openHead(new FakePublisher('key-2').head({ revision: 1, rootDigest, issuedAt: now }), publisher.verify)).toThrow('key_unknown');
    expect(() => openHead(new FakePublisher().head({ revision: 1, rootDigest, issuedAt: now }), publisher.verify)).toThrow('signature_invalid');
  });

  test('what is signed but is no head is refused', () => {
    const bytes = encodeContent({ keyId: 'key-1', revision: 'one' }).bytes;
    expect(() => openHead({ body: new TextDecoder().decode(bytes), signature: publisher.sign(bytes) }, publisher.verify)).toThrow('head_malformed');
  });

  test('no text at all makes it throw anything but a refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.string(), (body, signature) => {
        expect(open({ body, signature })).toThrow(/head_malformed|key_unknown|signature_invalid/);
        expect(() => openHead(parseSignedHead(body), publisher.verify)).toThrow('head_malformed');
      }),
    );
    expect(open({ body: `${signed.body}${' '.repeat(10_000)}` })).toThrow('head_malformed');
  });
});
