import { mkdir, rm } from 'node:fs/promises';
import type { ApiClient } from '@portcullis/api-client';
import { snapshotKeys } from '@portcullis/contracts/snapshot';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { healthOf } from '../e2e/by-hand.js';
import { messageIn, type RawAnswer, toolNamesIn } from '../e2e/raw-mcp.js';
import { Laboratory, NODES } from './laboratory.js';
import { until } from './until.js';

let lab: Laboratory;
let api: ApiClient;
beforeAll(async () => {
  lab = await Laboratory.start();
  api = await lab.api;
});
afterAll(() => lab.stop());

type Node = (typeof NODES)[number];

const revisionAt = async (node: Node): Promise<number> =>
  (JSON.parse((await healthOf(lab.process(node))).text) as { policy: { revision: number } }).policy.revision;
const nodesServe = (revision: number): Promise<void> =>
  until(`nodes serve revision ${revision}`, async () => (await Promise.all(NODES.map(revisionAt))).every((one) => one >= revision));

async function cpuSecondsOf(node: Node): Promise<number> {
  const metrics = await (await fetch(`${lab.process(node).healthUrl}/metrics`)).text();
  return Number(/^process_cpu_seconds_total\S* (\S+)$/m.exec(metrics)?.[1]);
}

const isServed = (answer: RawAnswer): boolean => messageIn(answer).result?.isError === false || messageIn(answer).result?.content !== undefined;

describe('F20: two hundred times under load, and what is taken away is refused on every node and stays so', () => {
  interface Taking {
    readonly take: () => Promise<unknown>;
    readonly giveBack: () => Promise<unknown>;
  }
  const ways: Record<string, () => Promise<Taking>> = {
    'a grant': async () => {
      const [grant] = (await api.grants.list.page({ agent: 'crowd' })).items;
      return {
        take: () => api.grants.delete(grant?.id ?? ''),
        giveBack: () => api.grants.create({ agent: 'crowd', server: 'tools', names: ['work'] }, { wait: 'all' }),
      };
    },
    'an agent': async () => ({
      take: () => api.agents.update('crowd', { enabled: false }),
      giveBack: () => api.agents.update('crowd', { enabled: true }, { wait: 'all' }),
    }),
    'a server': async () => ({
      take: () => api.servers.update('tools', { enabled: false }),
      giveBack: () => api.servers.update('tools', { enabled: true }, { wait: 'all' }),
    }),
  };

  test.each(Object.keys(ways))('%s', async (what) => {
    const ledger = lab.crowd(50);
    const tookMs: number[] = [];
    for (let round = 0; round < 67; round += 1) {
      const taking = await ways[what]?.();
      for (const node of NODES) await until(`${node} serves`, async () => isServed(await lab.call(node)));
      await taking?.take();
      const begun = performance.now();
      for (const node of NODES) await until(`${node} refuses`, async () => !isServed(await lab.call(node)), 20_000);
      tookMs.push(performance.now() - begun);
      for (const node of [...NODES, ...NODES]) expect(isServed(await lab.call(node))).toBe(false);
      await taking?.giveBack();
    }
    await ledger.stop();
    expect([...ledger.entries.values()].filter(({ answer }) => answer === 'foreign')).toEqual([]);
    const sorted = tookMs.toSorted((a, b) => a - b);
    console.log(
      `${what}: until both nodes refuse, as seen one after the other: p50 ${sorted[33]?.toFixed()} ms, longest ${sorted.at(-1)?.toFixed()} ms`,
    );
  });
});

test('F29: a thousand writes at once are a thousand revisions, share heads, and cost nodes little', async () => {
  const grants: string[] = [];
  for (let place = 0; place < 20; place += 1) {
    await api.agents.create({ slug: `busy-${place}` });
    grants.push((await api.grants.create({ agent: `busy-${place}`, server: 'tools', names: ['work'] })).value.id);
  }
  await nodesServe((await api.agents.update('busy-0', { name: 'first' })).revision ?? Infinity);
  const heads = new Set<number>();
  const listener = new Redis(lab.redis.url);
  listener.on('message', (_channel, message: string) => {
    const { body } = JSON.parse(message) as { body: string };
    heads.add((JSON.parse(body) as { revision: number }).revision);
  });
  await listener.subscribe(snapshotKeys.channel);

  const [cpuBefore, begun] = [await Promise.all(NODES.map(cpuSecondsOf)), performance.now()];
  const write = async (place: number): Promise<number> => {
    const { revision } = await api.grants.update(grants[place % 20] ?? '', { names: [`work_${place}`] });
    return revision ?? NaN;
  };
  const writers = Array.from({ length: 20 }, async (_, writer) => {
    const made: number[] = [];
    for (let round = 0; round < 50; round += 1) made.push(await write(20 * round + writer));
    return made;
  });
  const revisions = (await Promise.all(writers)).flat().toSorted((a, b) => a - b);
  const writtenMs = performance.now() - begun;
  const first = revisions[0] ?? NaN;
  expect(revisions).toEqual(Array.from({ length: 1000 }, (_, at) => first + at));
  await nodesServe(first + 999);
  const seconds = (performance.now() - begun) / 1000;
  const cpu = (await Promise.all(NODES.map(cpuSecondsOf))).map((after, at) => after - (cpuBefore[at] ?? 0));
  listener.disconnect();
  const shared = [...heads].filter((revision) => revision >= first);
  console.log(
    `1000 writes in ${(writtenMs / 1000).toFixed(1)} s, served ${(seconds * 1000 - writtenMs).toFixed()} ms later; ${shared.length} heads; CPU of nodes ${cpu.map((one) => `${one.toFixed(1)} s`).join(', ')}`,
  );
  expect(shared.length).toBeGreaterThan(0);
  // Where writes are slower than rounds of publishing there is nothing to share.
  expect(shared.length).toBeLessThanOrEqual(writtenMs < 20_000 ? 900 : 1000);
  expect(Math.max(...cpu) / seconds).toBeLessThan(0.4);
  expect(await Promise.all(NODES.map(revisionAt))).toEqual([first + 999, first + 999]);
});

describe('F30: a cold start in any order ends with every node serving, and none serves before it has policy', () => {
  const parts = ['Postgres', 'Redis', 'the control plane'] as const;
  const orders = parts.flatMap((one) => {
    const [other, another] = parts.filter((part) => part !== one);
    return [
      [one, other, another],
      [one, another, other],
    ] as (typeof parts)[number][][];
  });

  test.each(orders)('%s, %s, %s', async (...order) => {
    const cold = NODES[0];
    for (const name of lab.processes.keys()) await lab.kill(name);
    await Promise.all([lab.postgres.stop(), lab.redis.stop()]);
    await rm(lab.dataDirectoryOf(cold), { recursive: true });
    await mkdir(lab.dataDirectoryOf(cold));
    lab.run(cold, { NODE_NAME: `cold-${orders.findIndex((one) => one.join() === order.join())}` });
    await until('the node lives', async () => (await healthOf(lab.process(cold), 'livez')).status === 200);
    const running = new Set<string>();
    for (const part of order) {
      expect([(await healthOf(lab.process(cold))).status, (await lab.list(cold)).status]).toEqual([503, 503]);
      if (part === 'Postgres') await lab.postgres.start();
      else if (part === 'Redis') await lab.redis.start();
      else lab.run('control-plane');
      running.add(part);
      if (running.has('Postgres') && running.has('the control plane')) break;
    }
    await lab.ready('control-plane');
    await lab.ready(cold);
    expect(toolNamesIn(await lab.list(cold))).toEqual(['tools__work']);
    await lab.heal();
    expect(await Promise.all(NODES.map(async (node) => toolNamesIn(await lab.list(node))))).toEqual([['tools__work'], ['tools__work']]);
  });
});
