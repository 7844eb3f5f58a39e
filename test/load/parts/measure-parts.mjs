import { fileURLToPath } from 'node:url';
import { measureLoad } from '../measure-load.mjs';
import { newNode } from '../scale/start-node.mjs';
import { startScript } from '../start-process.mjs';
import { told } from '../measure-calls.mjs';
import { warmUp } from '../warm-up.mjs';

const HOOKS = fileURLToPath(new URL('less-parts.mjs', import.meta.url));
/** What is taken away, one after the other, and what is left then. */
const PARTS = [
  ['queue', 'no queue: batches are made and dropped'],
  ['records', 'no records: no intent, no outcome, no spool'],
  ['hashes', 'no SHA-256 of arguments and result'],
  ['decision', 'no decision, no view of the agent: the first is kept'],
  ['key', 'no look at the key: the first caller is kept'],
  ['counts', 'no metrics'],
];

/** A node with ever fewer parts, down to a proxy that parses and writes anew, and the raw one; all in the same rounds. */
export async function measureParts({ rig, load, rounds, say }, warmCalls) {
  const parts = [];
  try {
    const raw = rig.targets.find(({ name }) => name === 'raw node');
    const whole = { name: 'the whole node', ...rig.nodeTargets[0] };
    const targets = [whole];
    for (let count = 1; count <= PARTS.length; count += 1) targets.push(await startLess(rig, count, { parts, say }));
    const upstream = new URL(rig.targets[0].url).origin;
    const parsing = await startScript('raw-node.mjs', ['--upstream', upstream, '--parse']);
    parts.push(parsing);
    targets.push({ name: 'raw node that parses and writes anew', url: `${parsing.url}/mcp`, watch: { node: [parsing.pid] } }, raw);
    await warmUp({ targets: targets.slice(2, -1), nodeTargets: [targets[1]] }, warmCalls, { era: load.era });
    const rows = targets.map((target) => ({ target: target.name, connections: 64, runs: [] }));
    for (let round = 1; round <= rounds; round += 1)
      for (const [index, target] of targets.entries()) {
        const options = { ...load, connections: 64, warmup: 0 };
        rows[index].runs.push(await told(measureLoad(target, options, { instructionsOf: target.watch.node[0] }), { ...rows[index], round, say }));
      }
    return rows;
  } finally {
    for (const part of parts.reverse()) await (part.remove ?? part.stop)();
  }
}

async function startLess({ stack, nodeTargets }, count, { parts, say }) {
  const { token: joinToken } = await stack.api.nodes.createJoinToken({});
  const base = Math.floor(Number(new URL(nodeTargets[0].url).port) / 100) * 100;
  const port = base + 60 + 2 * count;
  const less = PARTS.slice(0, count).map(([part]) => part);
  const environment = { BENCH_LESS: less.join(','), PORTCULLIS_EGRESS_ALLOW: '127.0.0.0/8' };
  say(`Starting a node: ${PARTS[count - 1][1]} …`);
  const node = await newNode({ stack, joinToken, port, name: `less-${String(count)}`, args: ['--import', HOOKS], environment });
  parts.push(node);
  await node.start({ from: 'redis', revision: 1 });
  const [, name] = PARTS[count - 1];
  return { name, url: `http://127.0.0.1:${port}/servers/fake/mcp`, token: nodeTargets[0].token, watch: { node: [node.pid], rest: [] } };
}
