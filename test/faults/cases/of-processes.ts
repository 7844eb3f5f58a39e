import { setTimeout as pause } from 'node:timers/promises';
import type { FaultCase } from '../fault-case.js';
import { NODES, WORKERS } from '../laboratory.js';
import { movement } from '../movement.js';

const some = <T>(all: readonly [T, ...T[]], random: () => number): T => all[Math.floor(random() * all.length)] ?? all[0];

/** What kills processes of ours. */
export const processCases: readonly FaultCase[] = [
  {
    name: 'F1',
    title: 'a node is killed and starts again',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { times, random }) => {
      for (let time = 0; time < times; time += 1) {
        const node = some(NODES, random);
        await movement(ledger, 20);
        await lab.kill(node);
        await pause(2000 * random());
        lab.run(node);
        await lab.ready(node);
      }
    },
  },
  {
    name: 'F2',
    title: 'an audit worker is killed in the middle of batches, and then both',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { times, random }) => {
      for (let time = 0; time < times; time += 1) {
        const victims = time === times - 1 ? WORKERS : [some(WORKERS, random)];
        await movement(ledger, 20);
        await Promise.all(victims.map(lab.kill));
        await movement(ledger, 20);
        for (const victim of victims) lab.run(victim);
        await Promise.all(victims.map(lab.ready));
      }
    },
  },
  {
    name: 'F3',
    title: 'both workers are killed between the commit and the word to the queue',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { times }) => {
      for (let time = 0; time < times; time += 1) {
        await movement(ledger, 20);
        lab.links['worker to Redis'].swallow('up');
        await movement(ledger, 40);
        await Promise.all(WORKERS.map(lab.kill));
        lab.links['worker to Redis'].heal();
        for (const worker of WORKERS) lab.run(worker);
        await Promise.all(WORKERS.map(lab.ready));
      }
    },
  },
];
