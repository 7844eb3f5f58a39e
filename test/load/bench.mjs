// What the hop costs, as tables in Markdown:  npm run bench -- [--quick] [--era modern|legacy] [--release queue|spool|both] [--profile FILE]
// A node with authentication, policy and durable audit on, beside the server itself, nginx and a bare Node proxy, all in interleaved rounds.
//   --quick          one short round, to see that it works; the figures are rough
//   --profile FILE   also a CPU profile of the node under load, for the browser's tools, and where its time went
// Progress goes to standard error. The machine should have nothing else to do.
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCalls, measureLists, measureNodes, profileCalls } from './measurements.mjs';
import { callTable, largeTable, listTable, nodeTable, profileTable } from './tables.mjs';
import { startTargets } from './targets.mjs';

const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, era: text('modern'), release: text('queue'), profile: { type: 'string' } },
});
const plan = values.quick ? { rounds: 1, seconds: 1.5, warmup: 1 } : { rounds: 3, seconds: 3, warmup: 1 };
const choice = `era ${String(values.era)}, \`audit.release: ${String(values.release)}\``;
const say = (line) => process.stderr.write(`${line}\n`);

const rig = await startTargets({ nodes: 2, settings: { auditRelease: values.release }, say });
try {
  const load = { era: values.era, seconds: plan.seconds, warmup: plan.warmup };
  const context = { rig, load, rounds: plan.rounds, say };
  // Cold code would count as cost: every target is warm before the first round.
  await measureCalls({ ...context, rounds: 1, say: () => undefined, load: { ...load, seconds: 1, warmup: values.quick ? 3 : 10 } }, [64]);
  const [processor] = cpus();
  const machine = `${cpus().length} × ${processor?.model ?? 'unknown processor'}, Node ${process.versions.node}`;
  console.log(`${machine}, ${choice}, median of ${plan.rounds} interleaved rounds of ${plan.seconds} s.\n`);
  for (const note of rig.notes) console.log(`${note}\n`);
  console.log(callTable(await measureCalls(context, [64, 16, 1])));
  console.log(largeTable(await measureCalls({ ...context, load: { ...load, size: 1_000_000 } }, [4])));
  console.log(listTable(await measureLists(context)));
  console.log(nodeTable(await measureNodes(context)));
  if (values.profile) {
    const { profile, summary } = await profileCalls(context);
    await writeFile(values.profile, JSON.stringify(profile));
    console.log(profileTable(summary));
  }
} finally {
  await rig.stop();
}
