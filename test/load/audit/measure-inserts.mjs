import { hashStored, payloadOf } from '@portcullis/audit';
import { v7 } from 'uuid';
import { BatchStore } from '../../../apps/audit-worker/dist/store-batch.js';

/** As the worker stores them: so many events in one statement, two statements at a time. */
const EVENTS_AT_ONCE = 1024;
const AT_A_TIME = 2;

/** Events per second through the audit worker's own statement, in `seconds`. */
export async function measureInserts(database, seconds) {
  const store = new BatchStore(database, Date.now);
  const boot = v7();
  let seq = 0;
  let stored = 0;
  const next = () => {
    const firstSeq = seq + 1;
    const events = Array.from({ length: EVENTS_AT_ONCE / 2 }, () => call((seq += 2) - 1)).flat();
    const frames = events.map((event) => ({
      payload: Buffer.from(payloadOf({ event, requestId: null })),
      hash: hashStored({ event, requestId: null, frame: null }),
    }));
    return { batch: { v: 1, node: 'bench', boot, firstSeq, lastSeq: seq, frames: '' }, events, unreadable: [], frames };
  };
  await store.storeAll([next()]);
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  const one = async () => {
    while (performance.now() < until) {
      await store.storeAll([next()]);
      stored += EVENTS_AT_ONCE;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  return { eventsPerSecond: stored / ((performance.now() - startedAt) / 1000), stored };
}

const bytes = (text) => Buffer.from(text).toString('base64');

const who = { method: 'tools/call', agentId: null, keyId: 'key', operator: null, serverId: null };
const how = {
  decision: 'allow',
  reason: null,
  grantId: null,
  epoch: 1,
  revision: 1,
  era: 'modern',
  traceId: null,
  durationUs: null,
  upstreamUs: null,
};
const nothing = {
  argumentsHash: null,
  argumentsBytes: null,
  arguments: null,
  resultHash: null,
  resultBytes: null,
  resultSummary: null,
  truncated: false,
};

/** Intent and outcome of one call, of the size that calls have. */
function call(seq) {
  const callId = v7();
  const names = { agent: `agent-${seq % 1000}`, server: `server-${seq % 300}`, tool: `tool_${seq % 20}`, definitionHash: callId };
  const event = { ...who, ...how, ...nothing, ...names, callId, at: Date.now() };
  const args = { argumentsHash: callId, argumentsBytes: 100, arguments: bytes(`{"query":"${callId}","path":"/srv/${callId}","limit":10}`) };
  const result = {
    resultHash: callId,
    resultBytes: 150,
    resultSummary: bytes(`{"content":[{"type":"text","text":"${callId} ${callId} ${callId}"}]}`),
  };
  return [
    { ...event, ...args, id: v7(), seq, phase: 'intent', status: 'pending' },
    { ...event, ...result, id: v7(), seq: seq + 1, phase: 'outcome', status: 'success', durationUs: 900, upstreamUs: 800 },
  ];
}
