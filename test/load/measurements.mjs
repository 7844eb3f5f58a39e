import { setTimeout as pause } from 'node:timers/promises';
import { callShapes, openSession } from './call-shapes.mjs';
import { LoadConnection } from './load-connection.mjs';
import { measureLoad } from './measure-load.mjs';
import { startScript } from './start-process.mjs';
import { summarizeProfile } from './summarize-profile.mjs';
import { takeCpuProfile } from './take-cpu-profile.mjs';
import { LIST_TOOLS } from './targets.mjs';

const PROFILE_SECONDS = 5;

/**
 * Every target at every number of connections, round by round, so that slow changes of the machine's mood fall on all alike. Each row is
 * `{ target, connections, runs }`.
 */
export async function measureCalls({ rig, load, rounds, say }, connectionCounts) {
  const rows = connectionCounts.flatMap((connections) => rig.targets.map((target) => ({ target: target.name, connections, runs: [] })));
  for (let round = 1; round <= rounds; round += 1)
    for (const row of rows) {
      const target = rig.targets.find(({ name }) => name === row.target);
      row.runs.push(await told(measureLoad(target, { ...load, connections: row.connections }), { ...row, round, say }));
    }
  return rows;
}

/** A list of many tools from a node's memory, and the same bytes from a bare handler. */
export async function measureLists({ rig, load, rounds, say }) {
  const url = `${rig.stack.gatewayUrls[0]}/mcp`;
  const node = { url, token: rig.listKey, watch: rig.nodeWatch[0] };
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

/** One node, and two that share the same connections. */
export async function measureNodes({ rig, load, rounds, say }) {
  const target = (index) => ({ url: `${rig.stack.gatewayUrls[index]}/servers/fake/mcp`, token: rig.callKey, watch: rig.nodeWatch[index] });
  const rows = [1, 2].map((nodes) => ({ target: `${nodes} node${nodes > 1 ? 's' : ''}`, nodes, connections: 64, runs: [] }));
  for (let round = 1; round <= rounds; round += 1)
    for (const row of rows) {
      const loads = Array.from({ length: row.nodes }, (_, index) => measureLoad(target(index), { ...load, connections: 64 / row.nodes }));
      row.runs.push(await told(Promise.all(loads).then(together), { ...row, round, say }));
    }
  return rows;
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
    cpuUs: { node: perCall((result) => result.cpuUs.node) },
    generatorCpuUs: perCall((result) => result.generatorCpuUs),
  };
}

/** A profile of the first node while 64 connections call it. */
export async function profileCalls({ rig, load }) {
  const target = rig.targets.at(-1);
  const running = measureLoad(target, { ...load, connections: 64, warmup: 2, seconds: PROFILE_SECONDS });
  await pause(2_000);
  const profile = await takeCpuProfile(target.watch.node[0], PROFILE_SECONDS);
  const result = await running;
  return { profile, summary: summarizeProfile(profile, result.cpuUs.node) };
}

async function told(running, { target, connections, round, say }) {
  const result = await running;
  const failed = result.failed > 0 ? `, ${result.failed} failed: ${JSON.stringify(result.causes ?? {})}` : '';
  say(`round ${round} · ${target} · ${connections} connections: ${Math.round(result.callsPerSecond)} calls/s${failed}`);
  return result;
}
