import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Laboratory, NODES } from './laboratory.js';
import { until } from './until.js';

const run = promisify(execFile);
const [NODE, OTHER] = NODES;
let lab: Laboratory;
beforeAll(async () => {
  lab = await Laboratory.start();
}, 400_000);
afterAll(() => lab.stop());

const descriptorsOf = async (pid: number): Promise<number> => (await readdir(`/proc/${String(pid)}/fd`)).length;

/** Connections to a node on which so much of a request is sent and no more. */
function openSlow(node: (typeof NODES)[number], count: number, sent: string): Promise<Socket[]> {
  const { hostname, port } = new URL(lab.mcpUrlOf(node));
  const opened = Array.from({ length: count }, async () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await new Promise((resolve) => {
      socket.once('connect', resolve).once('close', resolve);
    });
    socket.write(sent);
    return socket.resume();
  });
  return Promise.all(opened);
}

test('F42: a node that stands still is seen to, holds up nobody at the others, and does nothing by old policy when it goes on', async () => {
  const api = await lab.api;
  await api.settings.update({ staleAfterSeconds: 30 }, { wait: 'all' });
  const [grant] = (await api.grants.list.page({ agent: 'crowd' })).items;
  const node = lab.process(NODE);
  node.signal('SIGSTOP');
  expect(await lab.say(OTHER, 'beside a node that stands still')).toBe('work: beside a node that stands still');
  // What a load balancer asks, with its patience.
  await expect(fetch(`${node.healthUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow('timeout');
  await api.grants.delete(grant?.id ?? '');
  await until('the other node refuses', async () => (await lab.say(OTHER, 'refused')).includes('Unknown tool'));
  await pause(20_000);
  const waiting = Array.from({ length: 8 }, (_, at) => lab.say(NODE, `sent to a node that stands still ${String(at)}`));
  await pause(15_000);
  node.signal('SIGCONT');
  const answers = await Promise.all(waiting);
  expect(answers.filter((answer) => !/Unknown tool|Temporarily unavailable/.test(answer))).toEqual([]);
  expect(lab.server.ran.filter((text) => text.startsWith('sent to a node'))).toEqual([]);
  await lab.ready(NODE);
  await api.grants.create({ agent: 'crowd', server: 'tools', names: ['work'] }, { wait: 'all' });
  expect(await lab.say(NODE, 'it goes on')).toBe('work: it goes on');
});

test('F44: a node without descriptors serves who is connected, and others as soon as it has some', async () => {
  const { pid } = lab.process(NODE);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await lab.say(NODE, 'connected before', agent)).toBe('work: connected before');
  const limit = (await descriptorsOf(pid)) + 40;
  await run('prlimit', [`--pid=${String(pid)}`, `--nofile=${String(limit)}:`]);
  const slow = await openSlow(NODE, 200, 'POST /mcp HTTP/1.1\r\n');
  await until('what the node has no descriptor for is closed', () => slow.some(({ destroyed }) => destroyed));
  for (let at = 0; at < 20; at += 1) expect(await lab.say(NODE, `without ${String(at)}`, agent)).toBe(`work: without ${String(at)}`);
  for (const socket of slow) socket.destroy();
  await until('others are served', async () => (await lab.say(NODE, 'connected after')) === 'work: connected after');
  agent.destroy();
  expect(lab.process(NODE).isRunning()).toBe(true);
});

test('F39: five thousand connections that send half a request end by themselves, and calls beside them are answered', async () => {
  const { pid } = lab.process(OTHER);
  const before = await descriptorsOf(pid);
  const head = `POST /mcp HTTP/1.1\r\nhost: ${new URL(lab.mcpUrlOf(OTHER)).host}\r\n`;
  const [heads, bodies] = await Promise.all([
    openSlow(OTHER, 2_500, head),
    openSlow(OTHER, 2_500, `${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"jsonrpc"`),
  ]);
  for (let at = 0; at < 50; at += 1) expect(await lab.say(OTHER, `beside ${String(at)}`)).toBe(`work: beside ${String(at)}`);
  await until('all of them are closed', () => [...heads, ...bodies].every(({ destroyed }) => destroyed));
  await until('their descriptors are free again', async () => (await descriptorsOf(pid)) <= before + 20);
});

test('F41: while all nodes are started anew, one after the other, a client that connects again has every call answered, each run once', async () => {
  let isOver = false;
  const sent: string[] = [];
  const failed: string[] = [];
  const client = async (name: number): Promise<void> => {
    const agents = NODES.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
    for (let count = 0; !isOver; count += 1) {
      const text = `rolling ${String(name)} ${String(count)}`;
      sent.push(text);
      let answer = '';
      for (let turn = 0; answer === '' && turn < 40; turn += 1) {
        const at = (count + turn) % NODES.length;
        const given = await lab.say(NODES[at] ?? NODE, text, agents[at]).catch(() => '');
        answer = given.startsWith('503') ? '' : given;
      }
      if (answer !== `work: ${text}`) failed.push(`${text}: ${answer}`);
    }
    for (const agent of agents) agent.destroy();
  };
  const clients = Array.from({ length: 8 }, (_, name) => client(name));
  const ended: string[] = [];
  for (const node of NODES) {
    const from = sent.length;
    await until('calls pass', () => sent.length > from + 200);
    const process = lab.process(node);
    await process.stop('SIGTERM');
    ended.push(await process.ended);
    lab.run(node);
    await lab.ready(node);
  }
  isOver = true;
  await Promise.all(clients);
  expect(ended).toEqual(NODES.map(() => '0'));
  expect(failed).toEqual([]);
  const ran = lab.server.ran.filter((text) => text.startsWith('rolling'));
  expect(ran.toSorted()).toEqual(sent.toSorted());
});
