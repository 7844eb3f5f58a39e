import { percentile } from './scrape.mjs';

const ms = (value) => (value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`);
const mib = (value) => `${Math.round(value)} MiB`;
const kib = (bytes) => (bytes > 1e6 ? mib(bytes / 2 ** 20) : `${(bytes / 1024).toFixed(1)} KiB`);
const count = (value) => value.toLocaleString('en');
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The whole report in Markdown. */
export function scaleTable(found) {
  const { machine, counts, nodes, plan } = found;
  const scale = `${count(counts.servers)} servers, ${count(counts.tools)} tools of 1 KiB, ${count(counts.agents)} agents, ${count(counts.grants)} grants`;
  return [
    `${machine}. ${scale}; nodes: ${nodes}, one control plane, Postgres and Redis on the same machine.`,
    wholeTable(found),
    changeTable(found),
    revocationTable(found, plan),
    timelineTable(found),
    '',
  ].join('\n\n');
}

function wholeTable(found) {
  const rows = [
    ['compile and commit everything', ms(found.compileMs), ''],
    ['… until all nodes serve it', ms(found.everywhereMs), ''],
    ['bytes of a whole snapshot', kib(found.fetchedBytes), ''],
    ['control plane, highest RSS meanwhile', mib(found.controlPlaneMiB), ''],
    ['event loop, longest stall of a serving node while everything is swapped', ms(found.swapStallMs), '≤ 20 ms'],
    ['… the same by a timer of 5 ms', ms(found.swapStalls.wallMs), ''],
    ['… CPU of the loop within that stall; the rest it was not running', ms(found.swapStalls.itsCpuMs), ''],
    ['… most CPU of the loop in any stall', ms(found.swapStalls.cpuMs), '≤ 20 ms'],
    ['… longest collection of garbage', ms(found.swapStalls.collectedMs), ''],
    ['event loop, longest stall of a starting node', ms(found.startStallMs), ''],
    ['node start until it serves, from Redis', ms(found.fromRedis.ms), ''],
    ['node start until it serves, from disk alone', ms(found.fromDisk.ms), ''],
    ['node RSS without policy', mib(found.empty.nodeMiB), ''],
    ['node RSS, settled after a start from Redis', mib(found.settledMiB), '≤ 350 MiB'],
    ['node RSS, settled after a start from disk', mib(found.fromDiskMiB), '≤ 350 MiB'],
    ['node RSS, highest under full load after all changes', mib(found.loadedMiB), '≤ 350 MiB'],
  ];
  return table(['whole policy', 'measured', 'target'], rows);
}

function changeTable({ changesFew, changesMany, plan }) {
  const parts = [
    ['compile and publish', 'publishMs', ms],
    ['fetch and put into service', 'applyMs', ms],
    ['bytes fetched', 'bytes', kib],
    ['REST request until all nodes serve', 'everywhereMs', ms],
    ['longest stall', 'stallMaxMs', ms],
  ];
  const rows = Object.keys(changesMany).flatMap((kind) =>
    parts.map(([what, name, unit]) => {
      const [few, many] = [changesFew[kind][name], changesMany[kind][name]];
      return [kind, what, unit(few), unit(many), (many / few).toFixed(2)];
    }),
  );
  return table(['one change of a', 'median', `${count(plan.fewAgents)} agents`, `${count(plan.agents)} agents`, 'ratio (≤ 2)'], rows);
}

function revocationTable({ latencies, load }, plan) {
  const rows = latencies.map((values, at) => [
    `node ${at + 1}`,
    ms(percentile(values, 0.5)),
    ms(percentile(values, 0.99)),
    ms(Math.max(...values)),
    `${Math.round(load[at].callsPerSecond)} calls/s, ${load[at].failed} failed`,
  ]);
  return table([`${plan.revocations} revocations, REST answer to refusal`, 'p50 (≤ 50 ms)', 'p99 (≤ 250 ms)', 'highest', 'load'], rows);
}

function timelineTable({ timeline }) {
  const rows = [
    ['committed until its round begins', timeline.waiting],
    ['lock of all publishers', timeline.lock],
    ['read, compiled and committed', timeline.commit],
    ['signed, contents and head in Redis', timeline.distribute],
    ['on a node: heard, fetched, in service', timeline.apply],
  ];
  return table(
    ['grants given and revoked under load', 'mean'],
    rows.map(([what, value]) => [what, ms(value)]),
  );
}
