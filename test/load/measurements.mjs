import { callShapes, openSession } from './call-shapes.mjs';
import { LoadConnection } from './load-connection.mjs';
import { measureCalls, told } from './measure-calls.mjs';
import { measureLoad } from './measure-load.mjs';
import { scrape } from './scale/scrape.mjs';
import { startScript } from './start-process.mjs';
import { LIST_TOOLS } from './targets.mjs';

/** One connection, once for each rule by which answers are released; the rule that was in force comes back. */
export async function measureLatency(context) {
  const rows = [];
  try {
    for (const release of ['queue', 'spool']) {
      await context.rig.stack.api.settings.update({ auditRelease: release }, { wait: 'all' });
      for (const row of await measureCalls(context, [1])) rows.push({ ...row, release });
    }
  } finally {
    await context.rig.stack.api.settings.update({ auditRelease: context.release }, { wait: 'all' });
  }
  return rows;
}

/**
 * Calls at fixed times, half as many as a node can take when 64 connections call again at once, and as many of them straight to the server; once for
 * each rule by which answers are released. `inside` is what the node itself saw of its calls: that a slow one waited in it, and not for a processor
 * before and behind it, shows in the difference.
 */
export async function measureHalfLoad(context) {
  const { rig, load, rounds, say } = context;
  const node = rig.targets.at(-1);
  const full = await told(measureLoad(node, { ...load, connections: 64 }), { target: 'portcullis, saturated', connections: 64, round: 0, say });
  const rate = Math.round(full.callsPerSecond / 2);
  const others = rig.targets.slice(0, -1).map((target) => ({ target, name: target.name }));
  const plans = [...others, ...['queue', 'spool'].map((release) => ({ target: node, name: `portcullis, \`${release}\``, release }))];
  const rows = plans.map(({ name }) => ({ target: name, connections: 64, runs: [] }));
  try {
    for (let round = 1; round <= rounds; round += 1)
      for (const [index, { target, release }] of plans.entries()) {
        if (release !== undefined) await rig.stack.api.settings.update({ auditRelease: release }, { wait: 'all' });
        const before = release && (await scrape(healthOf(target)));
        const run = await told(measureLoad(target, { ...load, connections: 64, rate }), { ...rows[index], round, say });
        rows[index].runs.push({ ...run, inside: before && insideOf(before, await scrape(healthOf(target))) });
      }
  } finally {
    await rig.stack.api.settings.update({ auditRelease: context.release }, { wait: 'all' });
  }
  return { rate, rows };
}

const HEALTH_PORTS_ABOVE = 40;
/** How far apart the node's looks at its event loop are, which its delays contain. */
const LOOK_MS = 10;
const healthOf = ({ url }) => `http://127.0.0.1:${Number(new URL(url).port) + HEALTH_PORTS_ABOVE}`;

/** Milliseconds: 99 of 100 calls from first byte to last, calls at the server and elsewhere in the node at the mean, and the event loop's delay. */
function insideOf(before, after) {
  const since = (name) => (after[`portcullis_${name}`] ?? 0) - (before[`portcullis_${name}`] ?? 0);
  const count = since('call_duration_seconds_count');
  const bounds = Object.keys(after).flatMap((name) => /^portcullis_call_duration_seconds_bucket\{le="([^"+]+)"\}$/.exec(name)?.[1] ?? []);
  const bound = bounds
    .map(Number)
    .sort((a, b) => a - b)
    .find((le) => since(`call_duration_seconds_bucket{le="${le}"}`) >= 0.99 * count);
  const atServerMs = (since('upstream_duration_seconds_sum') / count) * 1000;
  return {
    p99MsAtMost: (bound ?? Infinity) * 1000,
    atServerMs,
    elsewhereMs: (since('call_duration_seconds_sum') / count) * 1000 - atServerMs,
    loopDelayP99Ms: (after.nodejs_eventloop_lag_p99_seconds ?? NaN) * 1000 - LOOK_MS,
  };
}

/** A list of many tools from a node's memory, on record and not, and the same bytes from a bare handler. */
export async function measureLists({ rig, load, rounds, say }) {
  const node = { url: `${rig.stack.gatewayUrls[0]}/mcp`, token: rig.listKey, watch: rig.nodeTargets[0].watch };
  const bytes = await listBytes(node, load.era);
  const handler = await startScript('bare-handler.mjs', [], bytes);
  const record = (auditLists) => rig.stack.api.settings.update({ auditLists }, { wait: 'all' });
  try {
    const bare = {
      target: 'bare handler',
      at: { url: `${handler.url}/mcp`, watch: { node: [handler.pid] } },
      shape: { era: 'modern', 'same-id': 1 },
    };
    const rows = [64, 16].flatMap((connections) =>
      [bare, { target: 'portcullis', at: node }, { target: 'portcullis, lists not on record', at: node, isUnrecorded: true }].map((row) => ({
        ...row,
        connections,
        bytes: bytes.length,
        runs: [],
      })),
    );
    for (let round = 1; round <= rounds; round += 1)
      for (const row of rows) {
        if (row.isUnrecorded) await record(false);
        const options = { ...load, connections: row.connections, method: 'tools/list', ...row.shape };
        row.runs.push(await told(measureLoad(row.at, options), { ...row, round, say }));
        if (row.isUnrecorded) await record(true);
      }
    return rows;
  } finally {
    await record(true);
    await handler.stop();
  }
}

/** The node's whole answer to a list, as it is on the wire. */
async function listBytes({ url, token }, era) {
  const connection = new LoadConnection({ url: new URL(url), token, shape: callShapes[era] });
  if (era === 'legacy') connection.session = await openSession(connection);
  const { result } = await connection.request('tools/list', {});
  connection.close();
  if (result.tools.length !== LIST_TOOLS) throw new Error(`The node lists ${result.tools.length} tools, and not ${LIST_TOOLS}`);
  return JSON.stringify({ jsonrpc: '2.0', id: 1, result });
}

/**
 * One node and two, first called as fast as they answer, then so many times a second each as leaves the machine idle half of its time: what two nodes
 * hold each other up with shows in the CPU of a call, and not the want of cores for them, the generators and all else.
 */
export async function measureNodes({ rig, load, rounds, say }) {
  const rows = [false, true].flatMap((isPaced) => [1, 2].map((nodes) => ({ nodes, isPaced, connections: 64, runs: [] })));
  let rate = Infinity;
  for (let round = 1; round <= rounds; round += 1)
    for (const row of rows) {
      const pace = row.isPaced ? { rate } : {};
      const loads = Array.from({ length: row.nodes }, (_, index) =>
        measureLoad(rig.nodeTargets[index], { ...load, ...pace, connections: row.connections / row.nodes }),
      );
      const target = `${row.nodes} node${row.nodes > 1 ? 's' : ''}${row.isPaced ? `, ${rate} calls/s each` : ''}`;
      const run = await told(Promise.all(loads).then(together), { ...row, target, round, say });
      row.runs.push(run);
      // Two nodes at this pace answer half of what one could.
      if (rate === Infinity) rate = Math.max(1, Math.round(run.callsPerSecond / 4));
    }
  return rows.map((row) => ({ ...row, rate: row.isPaced ? rate : undefined }));
}

function together(results) {
  const sum = (read) => results.reduce((total, result) => total + read(result), 0);
  const good = sum((result) => result.good);
  const perCall = (read) => sum((result) => read(result) * result.good) / good;
  return {
    good,
    failed: sum((result) => result.failed),
    callsPerSecond: sum((result) => result.callsPerSecond),
    p50Ms: perCall((result) => result.p50Ms),
    p99Ms: Math.max(...results.map((result) => result.p99Ms)),
    cpuUs: { node: perCall((result) => result.cpuUs.node), rest: perCall((result) => result.cpuUs.rest) / results.length },
    generatorCpuUs: perCall((result) => result.generatorCpuUs),
  };
}
