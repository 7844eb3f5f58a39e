// What open streams cost a node, as a table in Markdown:  node test/load/idle-streams.mjs [--streams 10000] [--agents 500] [--quick]
// Agents of one group open streams, half of each era, on one node with everything on. Then the group is granted a server of 200 tools, while
// another agent calls: how long until every stream was told, and what the calls felt of it. --quick: 500 streams of 20 agents.
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { grantEverything } from '../local-stack/grant-everything.mjs';
import { startLocalStack } from '../local-stack/start-local-stack.mjs';
import { measureLoad } from './measure-load.mjs';
import { cpuSeconds, memoryMiB } from './process-tree.mjs';
import { startScript } from './start-process.mjs';

const { values } = parseArgs({ options: { streams: { type: 'string' }, agents: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const streamCount = Number(values.streams ?? (values.quick ? 500 : 10_000));
const agentCount = Number(values.agents ?? (values.quick ? 20 : 500));
const [OPEN_AT_ONCE, TOLD_MS_MAX, SETTLE_MS, IDLE_SECONDS] = [200, 60_000, 5_000, values.quick ? 5 : 20];
const LOAD = { era: 'modern', connections: 16, rate: 200, warmup: 1 };
const say = (line) => process.stderr.write(`${line}\n`);

const LISTEN = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'subscriptions/listen',
  params: {
    notifications: { toolsListChanged: true },
    _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
  },
});

/** A request that opens a stream, as the bytes of either era's client. */
function openingOf(url, token, isModern) {
  const head = [`Host: ${url.host}`, `Authorization: Bearer ${token}`];
  if (!isModern) return ['GET /mcp HTTP/1.1', ...head, 'Accept: text/event-stream', '', ''].join('\r\n');
  const mcp = ['MCP-Protocol-Version: 2026-07-28', 'Mcp-Method: subscriptions/listen'];
  const body = ['Content-Type: application/json', 'Accept: application/json, text/event-stream', `Content-Length: ${LISTEN.length}`];
  return ['POST /mcp HTTP/1.1', ...head, ...mcp, ...body, '', LISTEN].join('\r\n');
}

/** One open stream, and when it was told of a change. */
class IdleStream {
  toldAt = undefined;
  isOver = false;

  constructor(url, token, isModern) {
    this.socket = connect(Number(url.port), url.hostname);
    this.open = new Promise((resolve, reject) => {
      this.socket.once('error', reject);
      this.socket.once('data', (bytes) => (bytes.includes('HTTP/1.1 200') ? resolve() : reject(new Error(bytes.toString('latin1').slice(0, 200)))));
    });
    this.socket.on('data', (bytes) => {
      if (this.toldAt === undefined && bytes.includes('tools/list_changed')) this.toldAt = performance.now();
    });
    this.socket.on('close', () => (this.isOver = true));
    this.socket.write(openingOf(url, token, isModern));
  }
}

async function makeAgents(api) {
  await api.groups.create({ slug: 'listeners' });
  const keys = [];
  for (let at = 0; at < agentCount; at += 1) {
    const slug = `listener-${at}`;
    await api.agents.create({ slug });
    await api.groups.addMember('listeners', slug);
    keys.push((await api.agents.createKey(slug, {}, at === agentCount - 1 ? { wait: 'all' } : {})).value.key);
  }
  return keys;
}

async function openStreams(url, keys) {
  const streams = [];
  while (streams.length < streamCount) {
    const batch = Array.from({ length: Math.min(OPEN_AT_ONCE, streamCount - streams.length) }, (_, at) => {
      const index = streams.length + at;
      return new IdleStream(url, keys[index % keys.length], Math.floor(index / keys.length) % 2 === 0);
    });
    await Promise.all(batch.map(({ open }) => open));
    streams.push(...batch);
  }
  return streams;
}

/** Milliseconds from the change's answer until each stream was told. */
async function changeAndWait(stack, streams, change) {
  for (const stream of streams) stream.toldAt = undefined;
  const since = performance.now();
  await change();
  const answered = performance.now();
  while (performance.now() - since < TOLD_MS_MAX && streams.some(({ toldAt }) => toldAt === undefined)) await pause(20);
  const told = streams.flatMap(({ toldAt }) => (toldAt === undefined ? [] : [toldAt - answered])).sort((a, b) => a - b);
  return { told: told.length, half: told[told.length >> 1] ?? NaN, last: told.at(-1) ?? NaN };
}

const parts = [];
try {
  const upstream = await startScript('upstream.mjs');
  parts.push(upstream);
  say('Starting a stack …');
  const stack = await startLocalStack({ nodes: 1, say });
  parts.push(stack);
  const { api } = stack;
  const caller = await grantEverything(api, { slug: 'fake', url: `${upstream.url}/mcp`, agent: 'caller', kinds: ['tools'] });
  await grantEverything(api, { slug: 'many', url: `${upstream.url}/tools/200/mcp`, agent: 'lister', kinds: ['tools'] });
  say(`Making ${agentCount} agents …`);
  const keys = await makeAgents(api);
  const url = new URL(stack.gatewayUrls[0]);
  const pid = stack.pids['gateway-1'] ?? stack.pids['gateway-0'];
  const target = { url: `${url.origin}/servers/fake/mcp`, token: caller };
  const calls = (seconds) => measureLoad(target, { ...LOAD, seconds });
  await calls(5);
  const alone = await calls(IDLE_SECONDS);
  await pause(SETTLE_MS);
  const before = memoryMiB([pid]);
  say(`Opening ${streamCount} streams …`);
  const openedAt = performance.now();
  const streams = await openStreams(url, keys);
  const openedMs = performance.now() - openedAt;
  await pause(SETTLE_MS);
  const after = memoryMiB([pid]);
  const cpuBefore = cpuSeconds([pid]);
  await pause(1000 * IDLE_SECONDS);
  const idleCpu = (cpuSeconds([pid]) - cpuBefore) / IDLE_SECONDS;
  const idle = await calls(IDLE_SECONDS);
  say('Changing what all of them may see …');
  const during = calls(10);
  await pause(3000);
  let grant;
  const granted = await changeAndWait(stack, streams, async () => {
    grant = (await api.grants.create({ group: 'listeners', server: 'many', kind: 'tools', names: ['*'] })).value;
  });
  const revoked = await changeAndWait(stack, streams, () => api.grants.delete(grant.id));
  const changing = await during;
  const ended = streams.filter(({ isOver }) => isOver).length;
  for (const { socket } of streams) socket.destroy();
  const row = (name, value) => `| ${name} | ${value} |`;
  const feel = ({ p50Ms, p99Ms, failed }) => `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)} (${failed} failed)`;
  console.log(
    [
      `### ${streamCount} idle streams of ${agentCount} agents on one node`,
      '',
      row('what', 'figure'),
      row('---', '---'),
      row('memory of the node before and after, MiB', `${before.toFixed(0)} → ${after.toFixed(0)}`),
      row('memory per stream, KiB', (((after - before) * 1024) / streamCount).toFixed(1)),
      row('opened in, s', (openedMs / 1000).toFixed(1)),
      row('CPU of the node while all are idle, % of a core', (idleCpu * 100).toFixed(1)),
      row('grant of 200 tools: told, half after ms, last after ms', `${granted.told}, ${granted.half.toFixed(0)}, ${granted.last.toFixed(0)}`),
      row('its revocation: told, half after ms, last after ms', `${revoked.told}, ${revoked.half.toFixed(0)}, ${revoked.last.toFixed(0)}`),
      row('streams that ended by themselves', ended),
      row(`calls alone, p50 / p99 ms at ${LOAD.rate} a second`, feel(alone)),
      row('calls beside idle streams', feel(idle)),
      row('calls while all are told, twice', feel(changing)),
      '',
    ].join('\n'),
  );
  if (granted.told < streamCount || revoked.told < streamCount || ended > 0) process.exitCode = 1;
} finally {
  for (const part of parts.reverse()) await part.stop();
}
