import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeBatch, encodeBatch, encodeFrame, payloadOf } from '@portcullis/audit';
import { v7 } from 'uuid';
import { BatchStore } from '../../../apps/audit-worker/dist/store-batch.js';
import { StoreTogether } from '../../../apps/audit-worker/dist/store-together.js';

/** As busy nodes send them. */
const EVENTS_A_BATCH = 128;
/** Batches that a worker takes from the queue at a time. */
const AT_A_TIME = 32;
const BATCHES_MADE = 320;
const TICK_US = 10_000;

/**
 * Events per second from batches as they lie in the queue until they are committed, decoded and stored as by the worker, in about so many seconds; and
 * those of a bare `COPY` of the same rows into the same table. Making the batches is not counted.
 */
export async function measureInserts(database, seconds) {
  const together = new StoreTogether(new BatchStore(database, Date.now));
  const server = await postmaster(database);
  await storeAll(together, makeBatches());
  const parts = [];
  for (let spent = 0; spent < seconds; spent += parts.at(-1).seconds) {
    const batches = makeBatches();
    parts.push(await timed(server, batches.length * EVENTS_A_BATCH, () => storeAll(together, batches)));
  }
  return { stored: sumOf(parts), ceiling: await copyRate(database, server) };
}

async function storeAll(together, batches) {
  const left = [...batches];
  const one = async () => {
    for (let batch = left.pop(); batch !== undefined; batch = left.pop()) await together.store(decodeBatch(batch));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
}

function makeBatches() {
  return Array.from({ length: BATCHES_MADE }, () => {
    const events = Array.from({ length: EVENTS_A_BATCH / 2 }, (_, at) => call(2 * at + 1)).flat();
    const frames = events.map((event) => encodeFrame(event.seq, payloadOf({ event, requestId: null })));
    return encodeBatch('bench', randomUUID(), { firstSeq: 1, frames, hashes: '' });
  });
}

/** Rows that were just stored, once more under another node's name. */
async function copyRate(database, server) {
  const file = join(server.directory, 'bench.copy');
  const columns =
    await database.$queryRaw`SELECT attname AS name FROM pg_attribute WHERE attrelid = 'audit_event'::regclass AND attnum > 0 ORDER BY attnum`;
  const names = columns.map(({ name }) => `"${name}"`);
  const values = names.map((name) => (name === '"node"' ? "'bench-copy'" : name === '"boot"' ? `'${randomUUID()}'::uuid` : name));
  const numbered = values.map((value) => (value === '"seq"' ? 'row_number() OVER ()' : value));
  const count = await database.$executeRawUnsafe(
    `COPY (SELECT ${numbered} FROM audit_event WHERE node = 'bench' AND day >= current_date - 1 LIMIT 100000) TO '${file}'`,
  );
  try {
    const copied = await timed(server, 100_000, () => database.$executeRawUnsafe(`COPY audit_event (${names}) FROM '${file}'`));
    return sumOf([copied], count);
  } finally {
    await rm(file, { force: true });
  }
}

async function timed(server, events, work) {
  const [cpu, serverUs, startedAt] = [process.cpuUsage(), server.cpuUs(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { events, seconds: (performance.now() - startedAt) / 1000, clientUs: user + system, serverUs: server.cpuUs() - serverUs };
}

function sumOf(parts) {
  const sum = (name) => parts.reduce((total, part) => total + part[name], 0);
  const events = sum('events');
  return { rate: events / sum('seconds'), clientUs: sum('clientUs') / events, serverUs: sum('serverUs') / events };
}

/** The Postgres that serves, and the CPU that its processes took so far. Where there is no /proc it took none. */
async function postmaster(database) {
  const [{ directory }] = await database.$queryRaw`SELECT setting AS directory FROM pg_settings WHERE name = 'data_directory'`;
  const pid = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[0];
  const cpuUs = () => {
    let ticks = 0;
    for (const name of process.platform === 'linux' ? readdirSync('/proc') : []) {
      if (!/^\d+$/.test(name)) continue;
      const fields = statOf(name);
      if (name === pid || fields[1] === pid) ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }
    return ticks * TICK_US;
  };
  return { directory, cpuUs };
}

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return []; // ended meanwhile
  }
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
