import { createSecretKey, hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CaptureMode } from '@portcullis/contracts/capture';
import { capture, PieceCapture, type Captured } from './capture.js';
import { compilePaths } from './redaction/redaction-paths.js';
import { sampleSecrets } from './testing/sample-secrets.js';

const key = { id: 'k1', key: createSecretKey(Buffer.alloc(32, 7)) };
const as = (mode: CaptureMode, bytesMax = 1000, more: Partial<Captured> = {}): Captured => ({
  rule: { mode, bytesMax, paths: undefined },
  key: () => key,
  ...more,
});
const textOf = (kept: string | null): string => Buffer.from(kept ?? '', 'base64').toString();
const sha256 = (text: string): string => hash('sha256', text, 'hex');

const innocent = '{"title":"Größe 5"}';
const telling = '{"title":"Größe 5","password":"hunter2"}';

test('what holds no secret is kept as it was sent, with the digest that proves it', () => {
  for (const mode of ['full', 'redacted'] as const) {
    const taken = capture(innocent, as(mode));
    expect(taken).toMatchObject({ hash: sha256(innocent), bytes: Buffer.byteLength(innocent), truncated: false, how: null });
    expect(textOf(taken.kept)).toBe(innocent);
  }
  expect(textOf(capture(telling, as('full')).kept)).toBe(telling);
});

test('what holds one is kept without it, and its digest cannot be found by trying', () => {
  const taken = capture(telling, as('redacted'));
  expect(textOf(taken.kept)).toBe('{"title":"Größe 5","password":"[redacted:field]"}');
  expect(taken).toMatchObject({ bytes: Buffer.byteLength(telling), truncated: false, how: 'redacted' });
  expect(taken.hash).toMatch(/^hmac:k1:[0-9a-f]{64}$/);
  expect(taken.hash).not.toContain(sha256(telling));
});

test('of hashed content equal ones are known as equal, whatever the order of members, and nothing else', () => {
  const canonical = () => '{"a":1,"b":2}';
  const one = capture('{"a":1,"b":2}', as('hashed', 1000, { canonical }));
  const other = capture('{"b":2,"a":1}', as('hashed', 1000, { canonical }));
  expect(one).toMatchObject({ kept: null, how: 'hashed', truncated: false, bytes: 13 });
  expect(one.hash).toMatch(/^hmac:k1:/);
  expect(other.hash).toBe(one.hash);
  expect(capture('{"a":1}', as('hashed')).hash).not.toBe(one.hash);
  const elsewhere = { id: 'k2', key: createSecretKey(Buffer.alloc(32, 8)) };
  expect(capture('{"a":1,"b":2}', as('hashed', 1000, { canonical, key: () => elsewhere })).hash?.slice(8)).not.toBe(one.hash?.slice(8));
});

test('of content that is not to be kept only its size is known', () => {
  expect(capture(telling, as('none'))).toEqual({ hash: null, bytes: Buffer.byteLength(telling), kept: null, truncated: false, how: 'none' });
});

test('no more is kept than is allowed, markers included, and it says so', () => {
  expect(textOf(capture(innocent, as('redacted', 8)).kept)).toBe('{"title"');
  expect(capture(innocent, as('redacted', 8))).toMatchObject({ truncated: true, how: null, hash: sha256(innocent) });
  const short = '{"pwd":"12345678"}';
  const taken = capture(short, as('redacted', short.length));
  expect(taken).toMatchObject({ truncated: true, how: 'redacted', bytes: short.length });
  expect(textOf(taken.kept)).toBe('{"pwd":"[redacted:');
  expect(capture(telling, as('redacted', 0))).toMatchObject({ kept: null, truncated: true });
});

test('configured places are replaced besides', () => {
  const rule = { mode: 'redacted', bytesMax: 1000, paths: compilePaths(['/title']) } as const;
  expect(textOf(capture(innocent, { rule, key: () => key }).kept)).toBe('{"title":"[redacted:path]"}');
  expect(capture('{"other":1}', { rule, key: () => key })).toMatchObject({ how: null });
});

test('content that comes in pieces leaves what the whole would leave, wherever it is cut', () => {
  const content = fc
    .tuple(fc.constantFrom(...sampleSecrets), fc.nat(80), fc.nat(4000), fc.boolean())
    .map(([{ secret, text = secret }, before, after, plain]) =>
      JSON.stringify({ a: 'ö'.repeat(before), b: plain ? 'plain' : text, c: '☃'.repeat(after) }),
    );
  const mode = fc.constantFrom<CaptureMode>('full', 'redacted', 'hashed', 'none');
  fc.assert(
    fc.property(
      content,
      mode,
      fc.nat(300),
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 5 }),
      (text, how, bytesMax, sizes) => {
        const pieces = new PieceCapture(as(how, bytesMax));
        const bytes = Buffer.from(text);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(pieces.end()).toEqual(capture(text, as(how, bytesMax)));
      },
    ),
  );
});
