// What policy costs at scale, as a table in Markdown:  npm run bench:scale -- [--quick] [--nodes 3]
// 13,000 servers with 130,000 approved tools of 1 KiB, 10,000 agents with keys, groups and grants; a control plane, Redis, Postgres and three nodes.
//   --quick   a tenth of all that, and fewer rounds: to see that it works
//   --nodes   on two cores three nodes that swap at once, the control plane and Postgres wait for one another: one node shows its own stalls
// Progress goes to standard error. The machine should have nothing else to do.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openDatabase } from '@portcullis/database';
import { grantEverything } from '../../local-stack/grant-everything.mjs';
import { startLocalStack } from '../../local-stack/start-local-stack.mjs';
import { measureLoad } from '../measure-load.mjs';
import { memoryMiB } from '../process-tree.mjs';
import { startScript } from '../start-process.mjs';
import { fillPolicy, reviseEverything } from './fill-policy.mjs';
import { measureChanges, stallOf } from './measure-changes.mjs';
import { measureRevocations } from './measure-revocations.mjs';
import { stallsBetween, watchingStalls } from './read-stalls.mjs';
import { scaleTable } from './scale-table.mjs';
import { scrape, served } from './scrape.mjs';
import { newNode } from './start-node.mjs';
import { takeTimeline } from './take-timeline.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, nodes: { type: 'string', default: '3' } } });
const plan = values.quick
  ? { servers: 1_300, fewAgents: 10, agents: 1_000, changes: 5, revocations: 20, settleMs: 3_000, loadSeconds: 3 }
  : { servers: 13_000, fewAgents: 100, agents: 10_000, changes: 20, revocations: 200, settleMs: 20_000, loadSeconds: 15 };
const say = (line) => process.stderr.write(`${line}\n`);
const parts = [];
const keep = (part, end) => {
  parts.push(() => end(part));
  return part;
};

try {
  const upstream = keep(await startScript('upstream.mjs'), (one) => one.stop());
  const notes = keep(await mkdtemp(join(tmpdir(), 'portcullis-stalls-')), (one) => rm(one, { recursive: true, force: true }));
  const stallsFile = join(notes, 'stalls.ndjson');
  const environment = { LOG_LEVEL: 'warn', ...watchingStalls(stallsFile) };
  const stack = keep(await startLocalStack({ nodes: Number(values.nodes), environment, say }), (one) => one.stop());
  const database = keep(openDatabase(stack.databaseUrl, 4), (one) => one.$disconnect());
  const base = Number(new URL(stack.controlPlaneUrl).port);
  const health = { controlPlane: `http://127.0.0.1:${base + 1}`, nodes: stack.gatewayUrls.map((_, at) => `http://127.0.0.1:${base + 50 + at}`) };
  const nodePids = stack.gatewayUrls.map((_, at) => stack.pids[`gateway-${at + 1}`]);
  const callKey = await grantEverything(stack.api, { slug: 'fake', url: `${upstream.url}/mcp`, agent: 'caller', kinds: ['tools'] });
  await stack.api.agents.create({ slug: 'revoked' });
  const revokedKey = (await stack.api.agents.createKey('revoked', {}, { wait: 'all' })).value.key;
  const empty = { nodeMiB: memoryMiB([nodePids[0]]) };

  say(`Filling in ${plan.servers} servers and ${plan.fewAgents} agents …`);
  await fillPolicy(database, { servers: plan.servers, agents: plan.fewAgents });
  await served(health.nodes[0], await reviseEverything(database));
  const changesFew = await measureChanges({ stack, health, changes: await someChanges(stack), count: plan.changes });

  say(`Filling in ${plan.agents - plan.fewAgents} agents more …`);
  await fillPolicy(database, { servers: 0, agents: plan.agents - plan.fewAgents }, { servers: plan.servers, agents: plan.fewAgents });
  say('Compiling and publishing everything …');
  const compiledAt = performance.now();
  const swapFrom = Date.now();
  const revision = await reviseEverything(database);
  for (const url of health.nodes) await scrape(url);
  let controlPlaneMiB = 0;
  const watching = setInterval(() => {
    controlPlaneMiB = Math.max(controlPlaneMiB, memoryMiB([stack.pids['control-plane']]));
  }, 200);
  await until(async () => (await database.publishedSnapshot.findFirst())?.revision >= revision);
  const compileMs = performance.now() - compiledAt;
  await Promise.all(health.nodes.map((url) => served(url, revision)));
  const everywhereMs = performance.now() - compiledAt;
  clearInterval(watching);
  const swapStallMs = Math.max(...(await Promise.all(health.nodes.map(scrape))).map(stallOf));
  const swapStalls = await stallsBetween(stallsFile, swapFrom, Date.now());

  say('Starting a node from nothing, and from its disk …');
  const { token: joinToken } = await stack.api.nodes.createJoinToken({});
  const node = keep(await newNode({ stack, joinToken, port: base + 95 }), (one) => one.remove());
  await node.start({ from: 'redis', revision });
  await untilPersisted(node.healthUrl);
  const fetchedBytes = (await scrape(node.healthUrl)).portcullis_policy_fetched_bytes;
  await node.stop();
  const fromRedis = await node.start({ from: 'redis', revision });
  const startStallMs = stallOf(await scrape(node.healthUrl));
  await untilPersisted(node.healthUrl);
  await pause(plan.settleMs);
  const settledMiB = memoryMiB([node.pid]);
  await node.stop();
  const fromDisk = await node.start({ from: 'disk', revision });
  await pause(plan.settleMs);
  const fromDiskMiB = memoryMiB([node.pid]);
  await node.stop();

  say('Changing one thing at a time …');
  const changesMany = await measureChanges({ stack, health, changes: await someChanges(stack), count: plan.changes });

  say('Revoking under load …');
  const loads = stack.gatewayUrls.map((url) =>
    measureLoad(
      { url: `${url}/servers/fake/mcp`, token: callKey },
      { connections: 8, rate: 100, seconds: plan.revocations * (values.quick ? 0.3 : 0.25), warmup: 0 },
    ),
  );
  const revoking = { stack, token: revokedKey, agent: 'revoked', server: 'fake', count: plan.revocations };
  const { result: latencies, timeline } = await takeTimeline(health, () => measureRevocations(revoking));
  const load = await Promise.all(loads);
  const full = measureLoad(
    { url: `${stack.gatewayUrls[0]}/servers/fake/mcp`, token: callKey },
    { connections: 64, seconds: plan.loadSeconds, warmup: 1 },
  );
  let loadedMiB = 0;
  const sampling = setInterval(() => {
    loadedMiB = Math.max(loadedMiB, memoryMiB([nodePids[0]]));
  }, 200);
  await full;
  clearInterval(sampling);
  const [processor] = cpus();
  console.log(
    scaleTable({
      machine: `${cpus().length} × ${processor?.model ?? 'unknown processor'}, Node ${process.versions.node}`,
      plan,
      nodes: values.nodes,
      counts: await countRows(database),
      empty,
      compileMs,
      everywhereMs,
      controlPlaneMiB,
      swapStallMs,
      swapStalls,
      startStallMs,
      fetchedBytes,
      fromRedis,
      fromDisk,
      settledMiB,
      fromDiskMiB,
      loadedMiB,
      changesFew,
      changesMany,
      latencies,
      timeline,
      load,
    }),
  );
} finally {
  for (const end of parts.splice(0).reverse()) await end();
}

/** Changes of one grant, one agent and one server, each undone by the next one of its kind. */
async function someChanges({ api }) {
  const { items } = await api.grants.list.page({ agent: 'scale-agent-5', limit: 1 });
  const [grant] = items;
  return {
    grant: (round) => api.grants.update(grant.id, { names: ['tool_1', `tool_${(round % 9) + 2}`, 'changed'].slice(0, 2 + (round % 2)) }),
    agent: (round) => api.agents.update('scale-agent-5', { enabled: round % 2 === 1 }),
    server: (round) => api.servers.update('scale-5', { tags: [`changed-${round}`] }),
  };
}

async function countRows(database) {
  const [servers, tools, agents, grants] = await Promise.all([
    database.server.count(),
    database.definition.count(),
    database.agent.count(),
    database.grant.count(),
  ]);
  return { servers, tools, agents, grants };
}

async function untilPersisted(healthUrl) {
  await until(async () => (await (await fetch(`${healthUrl}/readyz`)).json()).policy.persisted);
}

async function until(holds, limitMs = 600_000) {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('It took too long');
    await pause(20);
  }
}
