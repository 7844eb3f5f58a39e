import { callShapes, openSession } from './call-shapes.mjs';
import { LoadConnection } from './load-connection.mjs';
import { measureCalls, told } from './measure-calls.mjs';
import { measureLoad } from './measure-load.mjs';
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

/** Calls at fixed times, half as many as a node can take when 64 connections call again at once, and as many of them straight to the server. */
export async function measureHalfLoad(context) {
  const { rig, load, rounds, say } = context;
  const node = rig.targets.at(-1);
  const full = await told(measureLoad(node, { ...load, connections: 64 }), { target: 'portcullis, saturated', connections: 64, round: 0, say });
  const rate = Math.round(full.callsPerSecond / 2);
  return { rate, rows: await measureCalls({ rig, load, rounds, say }, [64], { rate }) };
}

/** A list of many tools from a node's memory, and the same bytes from a bare handler. */
export async function measureLists({ rig, load, rounds, say }) {
  const node = { url: `${rig.stack.gatewayUrls[0]}/mcp`, token: rig.listKey, watch: rig.nodeTargets[0].watch };
  const bytes = await listBytes(node, load.era);
  const handler = await startScript('bare-handler.mjs', [], bytes);
  try {
    const targets = [
      ['bare handler', { url: `${handler.url}/mcp`, watch: { node: [handler.pid] } }],
      ['portcullis', node],
    ];
    const rows = targets.map(([target]) => ({ target, connections: 16, bytes: bytes.length, runs: [] }));
    for (let round = 1; round <= rounds; round += 1)
      for (const [index, [, target]] of targets.entries()) {
        const options = { ...load, connections: 16, method: 'tools/list', ...(target === node ? {} : { era: 'modern', 'same-id': 1 }) };
        rows[index].runs.push(await told(measureLoad(target, options), { ...rows[index], round, say }));
      }
    return rows;
  } finally {
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
