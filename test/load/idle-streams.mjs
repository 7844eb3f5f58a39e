// What open streams cost a node, as a table in Markdown:  npm run bench:idle [-- --streams 10000 --agents 500 --rounds 5] [-- --quick]
// Agents of one group open streams, half of each era, on one of two nodes with everything on. Another agent calls the node with the streams and the one
// without, in turn, so that the machine's mood falls on both alike. Then the group is granted a server of 200 tools and it is taken back, again and
// again: how long until every stream was told, and what the calls felt of it. --quick: 500 streams of 20 agents.
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { grantEverything } from '../local-stack/grant-everything.mjs';
import { startLocalStack } from '../local-stack/start-local-stack.mjs';
import { IdleStream, makeListeners } from './idle-stream.mjs';
import { measureLoad } from './measure-load.mjs';
import { pairCells, pairedWindows, summaryOf } from './paired-windows.mjs';
import { cpuSeconds, memoryMiB } from './process-tree.mjs';
import { startScript } from './start-process.mjs';

const { values } = parseArgs({
  options: { streams: { type: 'string' }, agents: { type: 'string' }, rounds: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const streamCount = Number(values.streams ?? (values.quick ? 500 : 10_000));
const agentCount = Number(values.agents ?? (values.quick ? 20 : 500));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const [OPEN_AT_ONCE, TOLD_MS_MAX, SETTLE_MS, IDLE_SECONDS] = [200, 60_000, 5_000, values.quick ? 5 : 20];
const CHANGE_AFTER_MS = 2_000;
const load = { era: 'modern', connections: 16, rate: 100, warmup: 1, seconds: values.quick ? 4 : 10 };
const say = (line) => process.stderr.write(`${line}\n`);

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

/** Adds to `reports` how many streams were told of the change, and the milliseconds from its answer until half of them and all of them were. */
async function tell(reports, streams, change) {
  for (const stream of streams) stream.toldAt = undefined;
  const since = performance.now();
  const result = await change();
  const answered = performance.now();
  while (performance.now() - since < TOLD_MS_MAX && streams.some(({ toldAt }) => toldAt === undefined)) await pause(20);
  const told = streams.flatMap(({ toldAt }) => (toldAt === undefined ? [] : [toldAt - answered])).sort((a, b) => a - b);
  reports.push({ told: told.length, half: told[told.length >> 1] ?? NaN, last: told.at(-1) ?? NaN });
  return result;
}

const nothing = async () => async () => undefined;

/** Both nodes in pairs of windows: what the second has that the first has not is in the ratios, and how much they differ by themselves in those before. */
async function measurePairs(one, other) {
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) pairs.push({ before: await measureLoad(one, load), during: await measureLoad(other, load) });
  return summaryOf(pairs);
}

/** Of several changes the worst of everything. */
function worst(reports) {
  const [told, half, last] = [
    Math.min(...reports.map((one) => one.told)),
    ...['half', 'last'].map((name) => Math.max(...reports.map((one) => one[name]))),
  ];
  return `${told}, ${half.toFixed(0)}, ${last.toFixed(0)}`;
}

const parts = [];
try {
  const upstream = await startScript('upstream.mjs');
  parts.push(upstream);
  say('Starting a stack …');
  const stack = await startLocalStack({ nodes: 2, say });
  parts.push(stack);
  const { api } = stack;
  const caller = await grantEverything(api, { slug: 'fake', url: `${upstream.url}/mcp`, agent: 'caller', kinds: ['tools'] });
  await grantEverything(api, { slug: 'many', url: `${upstream.url}/tools/200/mcp`, agent: 'lister', kinds: ['tools'] });
  say(`Making ${agentCount} agents …`);
  const keys = await makeListeners(api, agentCount);
  const url = new URL(stack.gatewayUrls[0]);
  const pid = stack.pids['gateway-1'];
  const pids = [pid, stack.pids['gateway-2']];
  const [target, quietTarget] = stack.gatewayUrls.map((origin, at) => {
    return { url: `${origin}/servers/fake/mcp`, token: caller, watch: { node: [pids[at]] } };
  });
  for (const one of [target, quietTarget]) await measureLoad(one, { ...load, seconds: 5 });
  await pause(SETTLE_MS);
  const before = memoryMiB([pid]);
  say('Calling both nodes in turn, neither with streams …');
  const nodePairs = await measurePairs(quietTarget, target);
  say(`Opening ${streamCount} streams …`);
  const openedAt = performance.now();
  const streams = await openStreams(url, keys);
  const openedMs = performance.now() - openedAt;
  await pause(SETTLE_MS);
  const after = memoryMiB([pid]);
  const cpuBefore = cpuSeconds([pid]);
  await pause(1000 * IDLE_SECONDS);
  const idleCpu = (cpuSeconds([pid]) - cpuBefore) / IDLE_SECONDS;
  say('Calling both nodes in turn, one with streams …');
  const idlePairs = await measurePairs(quietTarget, target);
  say('Changing what all of them may see …');
  const granted = [];
  const revoked = [];
  const change = async () => {
    const { value: grant } = await tell(granted, streams, () =>
      api.grants.create({ group: 'listeners', server: 'many', kind: 'tools', names: ['*'] }),
    );
    await tell(revoked, streams, () => api.grants.delete(grant.id));
  };
  const changing = await pairedWindows({ target, load, rounds }, nothing, async () => {
    const changed = pause(CHANGE_AFTER_MS).then(change);
    return () => changed;
  });
  const ended = streams.filter(({ isOver }) => isOver).length;
  for (const { socket } of streams) socket.destroy();
  const row = (name, value) => `| ${name} | ${value} |`;
  const feel = (pairs) => {
    const [usual, beside, ratio, , failed, cpu] = pairCells(pairs);
    return `${usual} → ${beside} (× ${ratio}; ${failed} failed), CPU ${cpu} % of a core`;
  };
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
      row('grant of 200 tools, worst of all: told, half after ms, last after ms', worst(granted)),
      row('its revocation, the same', worst(revoked)),
      row('streams that ended by themselves', ended),
      row(`${load.rate} calls a second, p50 / p99 ms, median of ${rounds} pairs: one node → the other, neither with streams`, feel(nodePairs)),
      row('the same once the other has the idle streams', feel(idlePairs)),
      row('the same on that node: nothing told → all told twice', feel(changing)),
      '',
    ].join('\n'),
  );
  if ([...granted, ...revoked].some(({ told }) => told < streamCount) || ended > 0) process.exitCode = 1;
} finally {
  for (const part of parts.reverse()) await part.stop();
}
