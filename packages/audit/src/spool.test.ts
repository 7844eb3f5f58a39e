import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeFrames, encodeFrame } from './frame.js';
import { Spool, SpoolFull } from './spool.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'portcullis-spool-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const limits = { segmentBytes: 200, quotaBytes: 10_000 };
const frames = (first: number, count: number) => Array.from({ length: count }, (_, i) => encodeFrame(first + i, `{"event":${first + i}}`));
const seqsIn = (spool: Spool, from = 1) => [...spool.framesFrom(from)].flat().map(({ seq }) => seq);

test('frames come back as they went in, whatever their text', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 20 }), (texts) => {
      const wellFormed = texts.map((text) => text.toWellFormed());
      const bytes = Buffer.concat(wellFormed.map((text, i) => encodeFrame(i + 1, text)));
      const decoded = decodeFrames(bytes);
      expect(decoded.goodBytes).toBe(bytes.length);
      expect(decoded.frames.map(({ payload }) => payload.toString())).toEqual(wellFormed);
    }),
  );
});

test('a flipped bit or a torn end loses only what comes after it', () => {
  const whole = frames(1, 10);
  const bytes = Buffer.concat(whole);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(7), (place, bit) => {
      const flipped = Buffer.from(bytes);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
      const hit = whole.findIndex((_, i) => Buffer.concat(whole.slice(0, i + 1)).length > place);
      expect(decodeFrames(flipped).frames.map(({ seq }) => seq)).toEqual(Array.from({ length: hit }, (_, i) => i + 1));
      expect(decodeFrames(bytes.subarray(0, place)).frames).toHaveLength(hit);
    }),
  );
});

test('what was appended is there after the process is gone, across segments', () => {
  const spool = Spool.create(directory, limits);
  for (let seq = 1; seq <= 40; seq += 4) spool.append(frames(seq, 4), seq);
  expect(readdirSync(directory).length).toBeGreaterThan(2);
  expect(seqsIn(Spool.reopen(directory, limits))).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(seqsIn(spool, 38)).toEqual([38, 39, 40]);
});

test('any range of events is read alone, also when the spool was opened again', () => {
  const large = { segmentBytes: 1_000_000, quotaBytes: 10_000_000 };
  const spool = Spool.create(directory, large);
  const text = 'x'.repeat(7000);
  for (let seq = 1; seq <= 300; seq += 3)
    spool.append(
      [seq, seq + 1, seq + 2].map((one) => encodeFrame(one, text)),
      seq,
    );
  for (const read of [spool, Spool.reopen(directory, large)]) {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(40), (from, more) => {
        const through = Math.min(from + more, 300);
        const pieces = [...read.framesFrom(from, through)];
        expect(pieces.flat().map(({ seq }) => seq)).toEqual(Array.from({ length: through - from + 1 }, (_, i) => from + i));
        expect(pieces.flat().every(({ payload }) => payload.length === text.length)).toBe(true);
      }),
    );
  }
  expect([...spool.framesFrom(100, 100)]).toHaveLength(1);
});

test('segments are deleted only when everything in them is acknowledged', () => {
  const spool = Spool.create(directory, limits);
  for (let seq = 1; seq <= 40; seq += 1) spool.append(frames(seq, 1), seq);
  const before = readdirSync(directory).length;
  spool.deleteThrough(20);
  expect(readdirSync(directory).length).toBeLessThan(before);
  const left = seqsIn(spool);
  expect(left.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => i + 21));
});

test('a full spool refuses the record and keeps none of it', () => {
  const spool = Spool.create(directory, { segmentBytes: 200, quotaBytes: 300 });
  let refused = 0;
  for (let seq = 1; seq <= 20 && !refused; seq += 1) {
    try {
      spool.append(frames(seq, 1), seq);
    } catch (error) {
      expect(error).toBeInstanceOf(SpoolFull);
      refused = seq;
    }
  }
  expect(refused).toBeGreaterThan(1);
  expect(seqsIn(Spool.reopen(directory, limits))).toEqual(Array.from({ length: refused - 1 }, (_, i) => i + 1));
});

test('bytes after a damaged frame are not taken for events at the next start', () => {
  const spool = Spool.create(directory, { ...limits, segmentBytes: 10_000 });
  spool.append(frames(1, 3), 1);
  const [name = ''] = readdirSync(directory);
  writeFileSync(join(directory, name), Buffer.concat([readFileSync(join(directory, name)), Buffer.from('torn tail')]));
  expect(Spool.reopen(directory, limits).lastSeq).toBe(3);
});
