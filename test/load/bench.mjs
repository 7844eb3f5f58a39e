// What the hop costs, as tables in Markdown:  npm run bench -- [--quick] [--only calls,latency,…] [--era modern|legacy] [--release queue|spool|both] [--profile FILE]
// A node with authentication, policy and durable audit on, beside the server itself, nginx and a bare Node proxy, all in interleaved rounds.
//   --quick          one short round of code that is hardly warm, to see that it works; the figures are rough
//   --only LIST      of: calls, latency, half, large, stream, lists, nodes, and parts, which takes a node's parts away one after the other
//   --connections N  of the tables of calls, with commas (64,16,1)
//   --profile FILE   also a CPU profile of the node under load, for the browser's tools, and where its time went
// Progress goes to standard error. The machine should have nothing else to do; CPU per call and its ratio to the bare proxy hold on one that has.
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCalls, profileCalls } from './measure-calls.mjs';
import { measureHalfLoad, measureLatency, measureLists, measureNodes } from './measurements.mjs';
import { measureParts } from './parts/measure-parts.mjs';
import { callTable, halfLoadTable, largeTable, latencyTable, listTable, nodeTable, partsTable, profileTable } from './tables.mjs';
import { startTargets } from './targets.mjs';
import { warmUp } from './warm-up.mjs';

const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: text('calls,latency,half,large,stream,lists,nodes'),
    connections: text('64,16,1'),
    era: text('modern'),
    release: text('queue'),
    profile: { type: 'string' },
  },
});
const plan = values.quick ? { rounds: 1, seconds: 1.5, warmCalls: 2_000 } : { rounds: 3, seconds: 3, warmCalls: 20_000 };
const choice = `era ${String(values.era)}, \`audit.release: ${String(values.release)}\``;
const say = (line) => process.stderr.write(`${line}\n`);

const rig = await startTargets({ nodes: 2, settings: { auditRelease: values.release }, say });
try {
  const load = { era: values.era, seconds: plan.seconds, warmup: 1 };
  const context = { rig, load, rounds: plan.rounds, say, release: values.release };
  const tables = {
    calls: async () => callTable(await measureCalls(context, values.connections.split(',').map(Number))),
    latency: async () => latencyTable(await measureLatency(context)),
    half: async () => halfLoadTable(await measureHalfLoad(context)),
    large: async () => largeTable('Calls with answers of 1 MB', await measureCalls(context, [4], { size: 1_000_000 })),
    stream: async () =>
      largeTable('Calls with 250 messages of 4 kB and then an answer', await measureCalls(context, [4], { events: 250, size: 4_000 })),
    lists: async () => listTable(await measureLists(context)),
    nodes: async () => nodeTable(await measureNodes(context)),
    parts: async () => partsTable(await measureParts(context, plan.warmCalls)),
  };
  await warmUp(rig, plan.warmCalls, { era: values.era }); // cold code would count as cost
  const [processor] = cpus();
  const machine = `${cpus().length} × ${processor?.model ?? 'unknown processor'}, Node ${process.versions.node}`;
  console.log(`${machine}, ${choice}, median of ${plan.rounds} interleaved rounds of ${plan.seconds} s after ${plan.warmCalls} calls.\n`);
  for (const note of rig.notes) console.log(`${note}\n`);
  for (const name of values.only.split(',')) console.log(await tables[name]());
  if (values.profile) {
    const { profile, summary } = await profileCalls(context);
    await writeFile(values.profile, JSON.stringify(profile));
    console.log(profileTable(summary));
  }
} finally {
  await rig.stop();
}
