const callId = '0199aa11-2233-7000-8000-5f2b7c1d9e01';
const grantId = '0198f000-0000-7000-8000-000000000101';
const node = 'node-a';
const boot = '0199a000-0000-7000-8000-00000000b007';
const from = '2026-03-01T00:00:00.000Z';
const to = '2026-03-02T00:00:00.000Z';
const at = '2026-03-01T09:30:00.250Z';
const hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** A call that was allowed, as the trail shows it. */
export const exampleCall = {
  callId,
  timestamp: at,
  method: 'tools/call',
  agent: 'data-agent',
  operator: null,
  server: 'postgres',
  tool: 'query',
  args: { sql: 'SELECT count(*) FROM orders' },
  argsTruncated: false,
  argsCapture: 'full',
  status: 'success',
  decision: 'allow',
  reason: null,
  grantId,
  shadowDecision: null,
  shadowGrantId: null,
  keyId: 'k7m2p4q8r9s1',
  task: 'ticket-4711',
  onBehalfOf: null,
  claimedAgent: null,
  revision: 412,
  definitionHash: hash,
  durationMs: 38.4,
  upstreamMs: 36.9,
  result: { bytes: 212, hash, summary: '1 row', truncated: false, capture: 'full' },
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  node,
  boot,
  seq: 90_210,
} as const;

export const exampleStory = {
  call: exampleCall,
  events: [
    { phase: 'intent', at, status: 'pending', reason: null, node, boot, seq: 90_209 },
    { phase: 'outcome', at: '2026-03-01T09:30:00.288Z', status: 'success', reason: null, node, boot, seq: 90_210 },
  ],
  timings: { totalMs: 38.4, upstreamMs: 36.9, gatewayMs: 1.5 },
  retries: 0,
  arguments: { value: exampleCall.args, hash, bytes: 37, kept: 'whole' },
  grant: { id: grantId, atCall: { names: ['query'], effect: 'allow' }, now: null },
  definition: { hash, json: { name: 'query', inputSchema: { type: 'object' } }, approvedNow: true },
  accessRequest: null,
  questions: [],
  replays: [],
} as const;

export const exampleAggregates = {
  from,
  to,
  truncated: false,
  rows: [{ agent: 'data-agent', calls: 1284, errors: 3, denials: 12, open: 0, p50Ms: 21.5, p95Ms: 88, p99Ms: 240.2 }],
};

export const examplePairs = {
  from,
  to,
  truncated: false,
  rows: [{ agent: 'data-agent', server: 'postgres', tool: 'query', calls: 1190, denials: 0, firstAt: from, lastAt: at, isNew: false }],
};

export const exampleIntegrity = {
  items: [
    {
      node,
      boot,
      state: 'complete',
      contiguousSeq: 90_210,
      lastSeq: 90_210,
      missingEvents: 0,
      missing: [],
      missingTruncated: false,
      behindSince: null,
      lagSeconds: 0,
      quarantined: 0,
    },
  ],
  nextCursor: null,
  totals: { boots: 1, arriving: 0, missing: 0, backlogEvents: 0, quarantined: 0 },
  operators: { lastSeq: 512, missingEvents: 0, missing: [], missingTruncated: false },
  sealing: { state: 'sealing', block: 1440, sealedAt: at, backlogEvents: 12, lagSeconds: 3.2, anchors: [] },
} as const;

export const exampleShadowReport = {
  grantId,
  mode: 'shadow',
  since: from,
  wouldAllow: 0,
  wouldDeny: 7,
  rows: [{ agent: 'data-agent', server: 'postgres', tool: 'query', decision: 'deny', calls: 7, lastAt: at, samples: [callId] }],
  truncated: false,
} as const;
