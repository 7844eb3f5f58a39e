import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AuditDecision, AuditEvent, AuditPhase, AuditStatus } from '@portcullis/contracts/audit';
import { decodeEvent, encodeEvent } from './encode-event.js';

const text = fc.string({ unit: 'binary', maxLength: 200 }).map((value) => value.toWellFormed());
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const number = fc.maxSafeInteger();
const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const base64 = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64'));

const events = fc.record({
  callId: fc.uuid(),
  phase: fc.constantFrom(...AuditPhase.options),
  at: number,
  method: text,
  agentId: maybe(fc.uuid()),
  agent: maybe(text),
  keyId: maybe(text),
  operator: maybe(text),
  serverId: maybe(fc.uuid()),
  server: maybe(text),
  tool: maybe(text),
  definitionHash: maybe(text),
  decision: fc.constantFrom(...AuditDecision.options),
  reason: maybe(text),
  grantId: maybe(fc.uuid()),
  epoch: maybe(number),
  revision: maybe(number),
  status: fc.constantFrom(...AuditStatus.options),
  durationUs: maybe(number),
  upstreamUs: maybe(number),
  era: maybe(fc.constantFrom('legacy' as const, 'modern' as const)),
  traceId: maybe(text),
  argumentsHash: maybe(sha256),
  argumentsBytes: maybe(number),
  arguments: maybe(base64),
  resultHash: maybe(sha256),
  resultBytes: maybe(number),
  resultSummary: maybe(base64),
  truncated: fc.boolean(),
  shadowDecision: fc.constant(undefined),
  shadowGrantId: fc.constant(undefined),
  task: fc.constant(undefined),
  onBehalfOf: fc.constant(undefined),
  claimedAgent: fc.constant(undefined),
  units: fc.constant(undefined),
  argumentsCapture: fc.constant(undefined),
  resultCapture: fc.constant(undefined),
  retries: fc.constant(undefined),
});

const shadowed = fc
  .tuple(events, fc.constantFrom('allow' as const, 'deny' as const), maybe(fc.uuid()))
  .map(([event, shadowDecision, shadowGrantId]) => ({ ...event, shadowDecision, shadowGrantId }));

const ofTasks = fc.tuple(fc.oneof(events, shadowed), text).map(([event, task]) => ({
  ...event,
  shadowDecision: event.shadowDecision ?? null,
  shadowGrantId: event.shadowGrantId ?? null,
  task,
}));

const ofSubjects = fc.tuple(fc.oneof(events, shadowed), maybe(text), text).map(([event, task, onBehalfOf]) => ({
  ...event,
  shadowDecision: event.shadowDecision ?? null,
  shadowGrantId: event.shadowGrantId ?? null,
  task,
  onBehalfOf,
}));

const ofClaims = fc.tuple(fc.oneof(events, shadowed, ofTasks, ofSubjects), text).map(([event, claimedAgent]) => ({
  ...event,
  shadowDecision: event.shadowDecision ?? null,
  shadowGrantId: event.shadowGrantId ?? null,
  task: event.task ?? null,
  onBehalfOf: event.onBehalfOf ?? null,
  claimedAgent,
}));

const charged = fc
  .tuple(ofClaims, maybe(text), maybe(text), fc.dictionary(text, fc.nat({ max: 1e15 })))
  .map(([event, onBehalfOf, claimedAgent, units]) => ({ ...event, onBehalfOf, claimedAgent, units }));

const captured = fc.constantFrom('redacted' as const, 'hashed' as const, 'none' as const);
const ofCaptures = fc
  .tuple(fc.oneof(ofClaims, charged), maybe(captured), captured)
  .map(([event, argumentsCapture, resultCapture]) => ({ ...event, units: event.units ?? null, argumentsCapture, resultCapture }));

const retried = fc
  .tuple(fc.oneof(ofClaims, charged), maybe(captured), maybe(captured), fc.integer({ min: 1, max: 1000 }))
  .map(([event, argumentsCapture, resultCapture, retries]) => ({ ...event, units: event.units ?? null, argumentsCapture, resultCapture, retries }));

test('an event comes back as it was, every member of the contract and no other', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat(), fc.oneof(events, shadowed, ofTasks, ofSubjects, ofClaims, charged, ofCaptures, retried), (id, seq, event) => {
      const decoded = decodeEvent(encodeEvent(id, seq, event));
      expect(decoded).toEqual({ id, seq, ...event });
      expect(decodeEvent(JSON.stringify(decoded))).toEqual(decoded);
      expect(Object.keys(decoded as object).sort()).toEqual(Object.keys(AuditEvent.shape).sort());
    }),
  );
});
