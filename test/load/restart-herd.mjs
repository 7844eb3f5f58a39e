// All nodes killed at once while many agents hold streams, as a table in Markdown:  npm run bench:herd [-- --streams 10000 --agents 500] [-- --quick]
// Agents hold streams on three nodes, half of each era. The nodes get SIGKILL; each agent whose stream breaks comes back to the next node, and again
// after a tenth of a second where nobody answers there. Says when each node was ready, when every stream was back, and what the nodes took for it.
// --quick: 600 streams of 20 agents.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { grantEverything } from '../local-stack/grant-everything.mjs';
import { startLocalStack } from '../local-stack/start-local-stack.mjs';
import { IdleStream, makeListeners } from './idle-stream.mjs';
import { memoryMiB } from './process-tree.mjs';
import { scrape, served } from './scale/scrape.mjs';
import { startScript } from './start-process.mjs';

const { values } = parseArgs({ options: { streams: { type: 'string' }, agents: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const streamCount = Number(values.streams ?? (values.quick ? 600 : 10_000));
const agentCount = Number(values.agents ?? (values.quick ? 20 : 500));
const [NODES, RETRY_MS, LOOK_MS, BACK_MS_MAX, SETTLE_MS] = [3, 100, 50, 120_000, 3_000];
const say = (line) => process.stderr.write(`${line}\n`);

/** An agent that always wants its stream: `isOpen` says whether it has it. */
class Agent {
  isOpen = false;
  tries = 0;

  constructor(urls, key, at) {
    Object.assign(this, { urls, key, at });
    void this.stay();
  }

  async stay() {
    for (let next = this.at; !this.isOver; next += 1) {
      const stream = new IdleStream(this.urls[next % this.urls.length], this.key, this.at % 2 === 0);
      this.socket = stream.socket;
      this.tries += 1;
      this.isOpen = await stream.open.then(
        () => true,
        () => false,
      );
      if (this.isOpen) while (!stream.isOver) await new Promise((resolve) => stream.socket.once('close', resolve));
      else await pause(RETRY_MS);
      this.isOpen = false;
    }
  }

  leave() {
    this.isOver = true;
    this.socket.destroy();
  }
}

async function allOpen(agents) {
  const since = performance.now();
  while (agents.some(({ isOpen }) => !isOpen)) {
    if (performance.now() - since > BACK_MS_MAX) throw new Error(`${agents.filter(({ isOpen }) => !isOpen).length} streams are not open`);
    await pause(LOOK_MS);
  }
  return performance.now() - since;
}

const parts = [];
const agents = [];
try {
  const upstream = await startScript('upstream.mjs');
  parts.push(upstream);
  say('Starting a stack …');
  const stack = await startLocalStack({ nodes: NODES, say });
  parts.push(stack);
  await grantEverything(stack.api, { slug: 'many', url: `${upstream.url}/tools/200/mcp`, agent: 'lister', kinds: ['tools'] });
  say(`Making ${agentCount} agents …`);
  const keys = await makeListeners(stack.api, agentCount);
  const urls = stack.gatewayUrls.map((url) => new URL(url));
  const healths = urls.map((url) => `http://${url.hostname}:${Number(url.port) + 40}`);
  const names = urls.map((_, at) => `gateway-${at + 1}`);
  say(`Opening ${streamCount} streams …`);
  for (let at = 0; at < streamCount; at += 1) agents.push(new Agent(urls, keys[at % keys.length], at));
  const openedMs = await allOpen(agents);
  await pause(SETTLE_MS);
  const triesBefore = agents.reduce((sum, { tries }) => sum + tries, 0);
  say('Killing all nodes …');
  const killedAt = performance.now();
  for (const name of names) process.kill(stack.pids[name], 'SIGKILL');
  const ready = Promise.all(healths.map((health) => served(health, 0).then(() => performance.now() - killedAt)));
  while (agents.some(({ isOpen }) => isOpen)) await pause(1);
  await allOpen(agents);
  const backMs = performance.now() - killedAt;
  const readyMs = await ready;
  const tries = agents.reduce((sum, agent) => sum + agent.tries, 0) - triesBefore;
  const processes = JSON.parse(await readFile(join(stack.dataDirectory, 'processes.json'), 'utf8'));
  const nodePids = processes.flatMap(({ name, pid }) => (names.includes(name) ? [pid] : []));
  const metrics = await Promise.all(healths.map(scrape));
  const seconds = (ms) => (ms / 1000).toFixed(1);
  const each = (read) => metrics.map(read).join(', ');
  console.log(
    [
      `### ${NODES} nodes killed under ${streamCount} streams of ${agentCount} agents`,
      '',
      '| what | figure |',
      '| --- | --- |',
      `| all opened at first within, s | ${seconds(openedMs)} |`,
      `| nodes ready after, s | ${readyMs.map(seconds).join(', ')} |`,
      `| every stream back after, s | ${seconds(backMs)} |`,
      `| tries for that, for each stream | ${(tries / streamCount).toFixed(1)} |`,
      `| streams of each node then | ${each((one) => one.portcullis_change_streams)} |`,
      `| memory of each node, MiB | ${nodePids.map((pid) => memoryMiB([pid]).toFixed(0)).join(', ')} |`,
      `| snapshots that each node put into service; fetched, KiB | ${each((one) => `${one.portcullis_policy_applied}; ${(one.portcullis_policy_fetched_bytes / 1024).toFixed(0)}`)} |`,
      '',
    ].join('\n'),
  );
} finally {
  for (const agent of agents) agent.leave();
  for (const part of parts.reverse()) await part.stop();
}
