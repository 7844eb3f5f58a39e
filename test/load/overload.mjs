// What a good server's calls feel of bad neighbours, as a table in Markdown:  npm run bench:overload [-- --quick] [--only hang,slow,…] [--rounds 5] [--seconds 10]
// One node with everything on. An agent calls a good server at a steady rate; in turn other agents call a server that hangs, is slow, flaps, answers
// without end or too much, and a herd of agents reconnects. Each is measured in pairs of windows, so that a noisy machine disturbs both alike: in one of
// a pair the same calls go to a healthy neighbour instead, so that what differs is the fault and not the load. `healthy` has that neighbour in both: how
// far its ratio is from 1 is how far any ratio may be by chance. A herd is held against nothing at all, against the same herd at a server that only
// opens streams, against as many calls of a quick server, and against the same herd at another node of this machine, so that it shows what of its price
// is the load's and the machine's. The ratio within a pair is what to read (target: within 10 %), with how far those of the pairs lie apart.
//   --quick       one short pair of each, to see that it works; the figures are rough
//   --only LIST   of: healthy, hang, slow, flap, endless, oversize, herd, herd-bare, herd-calls, herd-apart
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { grantEverything } from '../local-stack/grant-everything.mjs';
import { startLocalStack } from '../local-stack/start-local-stack.mjs';
import { startHerd } from './herd.mjs';
import { makeListeners } from './idle-stream.mjs';
import { measureLoad } from './measure-load.mjs';
import { pairCells, pairedWindows } from './paired-windows.mjs';
import { memoryMiB } from './process-tree.mjs';
import { startScript } from './start-process.mjs';
import { watchNode } from './watch-node.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'healthy,hang,slow,flap,endless,oversize,herd,herd-bare,herd-calls,herd-apart' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const seconds = Number(values.seconds ?? (values.quick ? 3 : 10));
const herdSize = values.quick ? 40 : 200;
const good = { era: 'modern', connections: 16, rate: 100, warmup: 1, seconds };
const [BEGIN_MS, TAIL_SECONDS, WARM_SECONDS] = [1_500, 4, 8];
/** How the bad server is called meanwhile: enough for its places to run out, or for its answers to fill what is kept of them. */
const badLoads = {
  healthy: { connections: 160, rate: 50 },
  hang: { connections: 160, rate: 50 },
  slow: { connections: 160, rate: 50 },
  flap: { connections: 32, rate: 50 },
  endless: { connections: 16, rate: 10 },
  oversize: { connections: 2, rate: 1 },
};
/** Calls of a quick server instead of a herd: as many as it opens streams. */
const herdCalls = { connections: 32, rate: values.quick ? 70 : 330 };
const say = (line) => process.stderr.write(`${line}\n`);

/** How often each thing happened, the commonest first. */
function counted(outcomes) {
  const all = Object.entries(outcomes).toSorted(([, a], [, b]) => b - a);
  return all.length === 0 ? '–' : all.map(([what, times]) => `${times} × ${what.replaceAll('|', '/')}`).join('; ');
}

function addTo(totals, outcomes) {
  for (const [what, times] of Object.entries(outcomes)) totals[what] = (totals[what] ?? 0) + times;
}

/** Calls of another server for as long as a window takes; `end` waits for the last. */
async function callServer(target, load, totals) {
  const running = measureLoad(target, { era: 'modern', warmup: 0, ...load, seconds: seconds + TAIL_SECONDS });
  await pause(BEGIN_MS);
  return async () => {
    const { good: answered, causes } = await running;
    addTo(totals, { ...(answered > 0 && { answered }), ...causes });
  };
}

async function reconnect(herdAt, totals) {
  const herd = startHerd(herdAt);
  await pause(BEGIN_MS);
  return async () => {
    const { outcomes, openMs } = await herd.stop();
    addTo(totals, { ...outcomes, [`all within ${openMs.toFixed(0)} ms`]: 1 });
  };
}

async function measureFault(fault, node, { usual, disturb }) {
  const totals = {};
  const watch = watchNode(node);
  const beforeMiB = memoryMiB([node.pid]);
  const pairs = await pairedWindows({ target: node.good, load: good, rounds }, usual, () => disturb(totals));
  const { peakMiB, suspensions, changes } = await watch.stop();
  const breaker =
    suspensions === 0 ? 'stayed closed' : `opened ${suspensions} ×; ${changes.slice(0, 6).join(', ')}${changes.length > 6 ? ', …' : ''}`;
  const cells = [fault, ...pairCells(pairs), counted(totals), breaker, `${beforeMiB.toFixed(0)} → ${peakMiB.toFixed(0)}`];
  say(cells.join(' · '));
  return cells;
}

const parts = [];
try {
  const [upstream, faulty] = await Promise.all([startScript('upstream.mjs'), startScript('faulty-upstream.mjs')]);
  parts.push(upstream, faulty);
  say('Starting a stack …');
  const chosen = values.only.split(',');
  const stack = await startLocalStack({ nodes: chosen.includes('herd-apart') ? 2 : 1, say });
  parts.push(stack);
  const { api } = stack;
  const token = await grantEverything(api, { slug: 'good', url: `${upstream.url}/mcp`, agent: 'caller', kinds: ['tools'] });
  const other = await grantEverything(api, { slug: 'neighbour', url: `${upstream.url}/mcp`, agent: 'neighbour', kinds: ['tools'] });
  const url = new URL(stack.gatewayUrls[0]);
  const metricsUrl = `http://${url.hostname}:${Number(url.port) + 40}/metrics`;
  const node = { pid: stack.pids['gateway-1'], metricsUrl, good: { url: `${url.origin}/servers/good/mcp`, token } };
  node.good.watch = { node: [node.pid] };
  node.neighbour = { url: `${url.origin}/servers/neighbour/mcp`, token: other };
  const keys = {};
  for (const fault of chosen.filter((name) => name in badLoads && name !== 'healthy'))
    keys[fault] = await grantEverything(api, { slug: fault, url: `${faulty.url}/${fault}/mcp`, agent: `caller-${fault}`, kinds: ['tools'] });
  const isHerd = (fault) => fault.startsWith('herd');
  const bare = chosen.includes('herd-bare') ? await startScript('bare-streams.mjs') : undefined;
  if (bare) parts.push(bare);
  const herd = chosen.some(isHerd) ? { url, keys: await makeListeners(api, herdSize) } : undefined;
  await measureLoad(node.good, { ...good, seconds: WARM_SECONDS });
  const rows = [];
  for (const fault of chosen) {
    say(`${fault} …`);
    const bad = fault === 'healthy' ? node.neighbour : { url: `${url.origin}/servers/${fault}/mcp`, token: keys[fault] };
    const beside = {
      usual: () => callServer(node.neighbour, badLoads[fault], {}),
      disturb: (totals) => callServer(bad, badLoads[fault], totals),
    };
    const instead = {
      herd: async () => async () => undefined,
      'herd-bare': () => reconnect({ ...herd, url: bare.url }, {}),
      'herd-calls': () => callServer(node.neighbour, herdCalls, {}),
      'herd-apart': () => reconnect({ ...herd, url: new URL(stack.gatewayUrls[1]) }, {}),
    };
    const herds = { usual: instead[fault], disturb: (totals) => reconnect(herd, totals) };
    rows.push(await (isHerd(fault) ? measureFault(`${fault} of ${herdSize}`, node, herds) : measureFault(fault, node, beside)));
  }
  const head = [
    'beside',
    'p50 / p99 ms beside a healthy one',
    'beside it',
    'ratio',
    'p99 ratios',
    'good calls that failed',
    'CPU of the node, % of a core',
    'what the others got',
    'breaker, s',
    'memory of the node, MiB',
  ];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  console.log(`### ${good.rate} calls a second of a good server; ${rounds} pairs of windows of ${seconds} s, medians\n`);
  console.log([line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n'));
} finally {
  for (const part of parts.reverse()) await part.stop();
}
