import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AuditEvent } from '@portcullis/contracts/audit';
import { decodeBatch, encodeBatch } from '../batch.js';
import { encodeEvent } from '../encode-event.js';
import { encodeFrame } from '../frame.js';
import { hashFrame } from './hash-frame.js';
import { sanitiseEvent } from './sanitise-event.js';
import { hashStored, isReproducible, payloadOf, QUARANTINED } from './stored-event.js';

const boot = '019ab000-0000-7000-8000-000000000001';
const event: AuditEvent = {
  id: '019ab000-0000-7000-8000-00000000000a',
  callId: '019ab000-0000-7000-8000-00000000000b',
  seq: 7,
  phase: 'outcome',
  at: 1_763_822_222_123,
  method: 'tools/call',
  agentId: '019ab000-0000-7000-8000-00000000000c',
  agent: 'code-review-agent',
  keyId: 'k1',
  operator: null,
  serverId: '019ab000-0000-7000-8000-00000000000d',
  server: 'github',
  tool: 'create_issue',
  definitionHash: 'sha256:ab',
  decision: 'allow',
  reason: null,
  grantId: '019ab000-0000-7000-8000-00000000000e',
  epoch: 1,
  revision: 42,
  status: 'success',
  durationUs: 1200,
  upstreamUs: 900,
  era: 'modern',
  traceId: null,
  argumentsHash: null,
  argumentsBytes: null,
  arguments: null,
  resultHash: 'cd',
  resultBytes: 2,
  resultSummary: 'e30=',
  truncated: false,
  shadowDecision: null,
  shadowGrantId: null,
  task: 'ticket-4711',
  claimedAgent: null,
};

/** What a node writes of an event, and the row's side of it. */
const written = (one: AuditEvent) => {
  const frame = encodeFrame(one.seq, encodeEvent(one.id, one.seq, one));
  const { frames, events } = decodeBatch(encodeBatch('n', boot, { firstSeq: one.seq, frames: [frame], hashes: '' }));
  const [stored] = frames;
  const [read] = events;
  if (stored === undefined || read === undefined) throw new Error('not readable');
  return { ...stored, event: sanitiseEvent(read), frame };
};

test('the bytes of an event are these, now and in ten years: rows are verified by writing them again', () => {
  expect(payloadOf({ event, requestId: null })).toBe(
    '["019ab000-0000-7000-8000-00000000000a",7,"019ab000-0000-7000-8000-00000000000b","outcome",1763822222123,"tools/call",' +
      '"019ab000-0000-7000-8000-00000000000c","code-review-agent","k1",null,"019ab000-0000-7000-8000-00000000000d","github","create_issue",' +
      '"sha256:ab","allow",null,"019ab000-0000-7000-8000-00000000000e",1,42,"success",1200,900,"modern",null,null,null,null,"cd",2,"e30=",false,' +
      'null,null,"ticket-4711"]',
  );
  const hash = hashStored({ event, requestId: null, frame: null }) ?? '';
  expect(Buffer.from(hash, 'latin1').toString('hex')).toBe('ffc822ebb58e19cbb86f2f6a98664fe73a1de7e617c878821cf075677f701299');
  expect(payloadOf({ event: { ...event, claimedAgent: 'ops' }, requestId: null })).toMatch(/,"ticket-4711",null,"ops"\]$/);
});

test('a row gives the hash of the frame that its node wrote', () => {
  const { event: row, hash, frame, payload } = written(event);
  expect(isReproducible(row, payload)).toBe(true);
  expect(hashStored({ event: row, requestId: null, frame: null })).toBe(hash);
  expect(hashFrame(frame)).toBe(hash);
});

test('a row whose text had to be cleaned is verified by the payload that was kept, which says the same', () => {
  const { event: row, hash, payload } = written({ ...event, tool: 'nul\u0000 and \ud800' });
  expect(isReproducible(row, payload)).toBe(false);
  expect(hashStored({ event: row, requestId: null, frame: payload })).toBe(hash);
  expect(hashStored({ event: { ...row, agent: 'other' }, requestId: null, frame: payload })).toBeUndefined();
});

test('whatever an event says, its row, with the payload where that had to be kept, gives the hash of its frame, and no other row does', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('\0', '\ud800', '\udc00', 'a', '"', '\\', 'é') }));
  const units = fc.dictionary(text, fc.nat({ max: 1e15 }), { maxKeys: 3 });
  const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
  const said = fc.record(
    { agent: maybe(text), tool: text, method: text, reason: text, task: text, claimedAgent: text, units: maybe(units), at: fc.maxSafeInteger() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(said, text, (more, other) => {
      const { event: row, hash, payload } = written({ ...event, ...more });
      const frame = isReproducible(row, payload) ? null : payload;
      expect(hashStored({ event: row, requestId: null, frame })).toBe(hash);
      const forged = sanitiseEvent({ ...row, server: other });
      expect(hashStored({ event: forged, requestId: null, frame }) === hash).toBe(forged.server === row.server);
    }),
  );
});

test('what a newer node says beyond what is known here is kept, and stays in the hash', () => {
  const row = {
    ...event,
    onBehalfOf: 'user-17',
    claimedAgent: 'ops',
    units: { '/usage/tokens': 12_000_000 },
    resultCapture: 'redacted' as const,
    retries: 1,
  };
  const payload = Buffer.from(`${encodeEvent(row.id, row.seq, row).slice(0, -1)},"newer"]`);
  expect(isReproducible(row, payload)).toBe(false);
  expect(hashStored({ event: row, requestId: null, frame: payload })).toBe(hashFrame(encodeFrame(row.seq, payload.toString())));
});

test('units that a result reported are in the hash, in whatever order a database gives them back', () => {
  const [row, other] = [
    { '/b': 2, '/aa': 1 },
    { '/aa': 1, '/b': 2 },
  ].map((units) => written({ ...event, units }));
  expect(other?.hash).toBe(row?.hash);
  expect(hashStored({ event: { ...event, units: { '/aa': 1, '/b': 3 } }, requestId: null, frame: null })).not.toBe(row?.hash);
});

test('a stub answers for the bytes that it stands for', () => {
  const payload = Buffer.from('{"not":"an event"}');
  const about = { argumentsHash: 'd1a5c1', argumentsBytes: payload.length, reason: QUARANTINED };
  expect(hashStored({ event: { ...event, ...about }, requestId: null, frame: payload })).toBeUndefined();
});

test("the access request of an operator's action is part of what is hashed", () => {
  const one = hashStored({ event, requestId: null, frame: null });
  expect(hashStored({ event, requestId: boot, frame: null })).not.toBe(one);
});
