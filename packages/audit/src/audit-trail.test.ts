import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AuditEvent, type AuditBatch, type NewAuditEvent } from '@portcullis/contracts/audit';
import type { AuditTrail } from './audit-trail.js';
import type { BatchQueue } from './batch-queue.js';
import { newEventId } from './new-event-id.js';
import { openAuditTrail } from './open-audit-trail.js';

const never = <T>(): Promise<T> => new Promise(() => undefined);

const nothing = Object.fromEntries(Object.keys(AuditEvent.shape).map((member) => [member, null]));
const someEvent = (): NewAuditEvent => ({ ...nothing, callId: newEventId(), phase: 'outcome', at: 0, method: 'ping' }) as unknown as NewAuditEvent;

let directory: string;
let sent: AuditBatch[];
let queue: BatchQueue;
let trail: AuditTrail;

beforeEach(() => {
  vi.useFakeTimers();
  directory = mkdtempSync(join(tmpdir(), 'portcullis-trail-'));
  sent = [];
  queue = {
    add: (batch) => Promise.resolve(void sent.push(batch)),
    has: () => Promise.resolve(true),
    pressed: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
  trail = openAuditTrail({ node: 'node-1', directory, queue, release: () => 'spool', onTrouble: () => undefined });
});
afterEach(async () => {
  await trail.close(0);
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

test('a question to the queue that is never answered does not keep what it refused from being sent again', async () => {
  const answering = { ...queue };
  Object.assign(queue, { add: () => Promise.reject(new Error('gone')), pressed: () => never<boolean>() });
  const recorded = trail.recordOutcome(someEvent());
  await vi.advanceTimersByTimeAsync(1500);
  await recorded;
  Object.assign(queue, answering);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([[1, 1]]);
});
