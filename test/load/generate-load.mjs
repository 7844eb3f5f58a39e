// Calls an MCP endpoint on loopback as fast as it answers, and checks each answer (id, status, exact text). Prints one line of JSON.
//   node test/load/generate-load.mjs --url http://127.0.0.1:4100/mcp [--connections 16] [--seconds 5] [--warmup 1]
//     --method tools/call|tools/list|ping    --tool echo    --size N    characters of text to ask for (100)
//     --events N                each answer is a stream of so many messages of that size before the last one
//     --era modern|legacy       legacy: each connection opens a session first
//     --rate N                  N calls a second at fixed times, and latency counts from when a call was due; 0: each connection calls again at once
//     --same-id 1               every request has this id, for a target that answers the same bytes to all
//     --watch name=pid,pid      CPU and memory of these processes with their descendants; repeatable
// LOAD_TOKEN is sent as bearer token.
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { callShapes, openSession } from './call-shapes.mjs';
import { echoText } from './echo-text.mjs';
import { Failure, LoadConnection } from './load-connection.mjs';
import { Measurement } from './measurement.mjs';

const SECONDS_MAX = 600;
const CONNECTIONS_MAX = 20_000;
const TIMEOUT_MS = 10_000;
const DRAIN_MS = 3_000;
const RECONNECT_MS = 50;

const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    connections: text('16'),
    seconds: text('5'),
    warmup: text('1'),
    method: text('tools/call'),
    tool: text('echo'),
    size: text('100'),
    events: text('0'),
    era: text('modern'),
    rate: text('0'),
    'same-id': { type: 'string' },
    watch: { type: 'string', multiple: true, default: [] },
  },
});
const url = new URL(values.url);
const numbers = ['seconds', 'warmup', 'size', 'events', 'rate', 'connections'];
const [seconds, warmup, size, events, rate, connectionCount] = numbers.map((name) => Number(values[name]));
if (!['127.0.0.1', 'localhost'].includes(url.hostname)) throw new Error('only loopback addresses are called');
if (seconds > SECONDS_MAX || connectionCount > CONNECTIONS_MAX) throw new Error(`at most ${SECONDS_MAX} s and ${CONNECTIONS_MAX} connections`);
const shape = callShapes[values.era];
const watched = values.watch.map((group) => group.split('=')).map(([name, pids]) => [name, pids.split(',').map(Number)]);
const measurement = new Measurement(Object.fromEntries(watched));
const sameId = values['same-id'] === undefined ? undefined : Number(values['same-id']);
const connectTo = { url, token: process.env.LOAD_TOKEN, shape, sameId };
const connections = Array.from({ length: connectionCount }, () => new LoadConnection(connectTo));
let isRunning = true;
let tokens = 0;

const expiry = setInterval(() => {
  for (const connection of connections) connection.expire(performance.now() - TIMEOUT_MS);
}, 250);
if (values.era === 'legacy') for (const connection of connections) connection.session = await openSession(connection);
const loops = rate > 0 ? [openLoop()] : connections.map(closedLoop);
await pause(warmup * 1000);
measurement.begin();
await pause(seconds * 1000);
const result = measurement.end();
isRunning = false;
await Promise.race([Promise.all(loops), pause(DRAIN_MS)]);
clearInterval(expiry);
console.log(JSON.stringify(result));
process.exit(0);

async function call(connection) {
  if (values.method !== 'tools/call') return connection.request(values.method, {});
  const token = `call-${process.pid}-${++tokens}`;
  const kind = events > 0 ? { arguments: { token, size, events }, _meta: { progressToken: token } } : { arguments: { token, size } };
  const { result: answer, events: told } = await connection.request('tools/call', { name: values.tool, ...kind }, values.tool);
  const content = answer?.content?.[0]?.text;
  if (answer?.isError) throw new Failure(`isError: ${String(content).slice(0, 80)}`);
  if (content !== echoText(token, events > 0 ? 100 : size)) throw new Failure('wrong text in the answer');
  if (told !== events) throw new Failure(`${told} messages before the answer`);
  return answer;
}

async function timedCall(connection, dueAt) {
  try {
    await call(connection);
    measurement.good(performance.now() - dueAt);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    measurement.failed(error.message);
    // A dead target must not make this spin.
    await pause(RECONNECT_MS);
  }
}

async function closedLoop(connection) {
  while (isRunning) await timedCall(connection, performance.now());
}

/** A call that finds no free connection waits for one, and its waiting counts. */
async function openLoop() {
  const idle = [...connections];
  const waiting = [];
  const start = async (connection, dueAt) => {
    for (let due = dueAt; due !== undefined && isRunning; due = waiting.shift()) await timedCall(connection, due);
    idle.push(connection);
  };
  const beganAt = performance.now();
  for (let sent = 0; isRunning; await pause(1))
    for (; sent < ((performance.now() - beganAt) * rate) / 1000; sent += 1) {
      const dueAt = Math.max(beganAt + (sent * 1000) / rate, performance.now() - 2);
      const connection = idle.pop();
      if (connection) void start(connection, dueAt);
      else waiting.push(beganAt + (sent * 1000) / rate);
    }
}
