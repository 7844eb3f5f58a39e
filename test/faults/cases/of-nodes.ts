import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from '../../e2e/ledger.js';
import type { FaultCase } from '../fault-case.js';
import { type Laboratory, NODES } from '../laboratory.js';
import { movement } from '../movement.js';
import { fillDisk, onSmallDisk } from '../small-disk.js';
import { until } from '../until.js';

const NODE = NODES[0];

async function nodeServes(lab: Laboratory, ledger: Ledger, count: number): Promise<void> {
  const wanted = ledger.answeredAt(lab.mcpUrlOf(NODE)) + count;
  await until(`${NODE} answers ${count} more requests`, () => ledger.answeredAt(lab.mcpUrlOf(NODE)) >= wanted);
}

/** With a small disk for its spool, what is on it kept afterwards. */
async function withSmallSpool(lab: Laboratory, use: (directory: string) => Promise<void>): Promise<void> {
  const directory = join(lab.dataDirectoryOf(NODE), 'audit');
  const aside = join(lab.directory, 'from-the-small-disk');
  await lab.process(NODE).stop();
  await onSmallDisk(directory, 2, async () => {
    try {
      lab.run(NODE);
      await lab.ready(NODE);
      await use(directory);
    } finally {
      await lab.process(NODE).stop();
      await cp(directory, aside, { recursive: true });
    }
  });
  await cp(aside, directory, { recursive: true });
}

/** What happens to a node: its disk, its clock, what agents send it. */
export const nodeCases: readonly FaultCase[] = [
  {
    name: 'F13',
    title: 'the disk of the spool is full, with Redis there and without',
    perSecond: 100,
    isForRandom: false,
    inject: async (lab, ledger, { seconds }) => {
      await withSmallSpool(lab, async (directory) => {
        const inTheWay = await fillDisk(directory);
        await nodeServes(lab, ledger, 50);
        await pause(1000 * seconds(20));
        await lab.redis.signal('SIGKILL');
        const isRefused = (): boolean =>
          [...ledger.entries.values()].some(({ url, answer }) => url === lab.mcpUrlOf(NODE) && answer === 'turned away');
        await until('the node refuses what nothing can record', isRefused);
        await rm(inTheWay);
        await nodeServes(lab, ledger, 20);
        await lab.redis.start();
        await nodeServes(lab, ledger, 20);
      });
    },
  },
  {
    name: 'F15',
    title: 'the spool is deleted under a running node, which is killed afterwards',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger) => {
      const spool = join(lab.dataDirectoryOf(NODE), 'audit');
      await nodeServes(lab, ledger, 20);
      const [boot] = (await readdir(spool))
        .filter((name) => name.length === 36)
        .sort()
        .slice(-1);
      if (boot === undefined) throw new Error('The node has no spool');
      await rm(join(spool, boot), { recursive: true, force: true });
      await until('the spool is there again', async () => (await readdir(join(spool, boot))).some((name) => name.endsWith('.seg')));
      await Promise.all([lab.redis.signal('SIGKILL'), nodeServes(lab, ledger, 20)]); // the disk alone has them now
      await lab.kill(NODE);
      await lab.redis.start();
      lab.run(NODE);
      await lab.ready(NODE);
      await nodeServes(lab, ledger, 20);
    },
  },
  {
    name: 'F16',
    title: 'agents send what databases and parsers choke on',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { times }) => {
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      const long = JSON.stringify('x'.repeat(5_000_000));
      for (let time = 0; time < times; time += 1)
        for (const argument of ['"\\u0000"', '"\\ud800"', '"\\udfff\\u0000\\u2028"', deep, '1e400', '123456789012345678901', long]) {
          await lab.callWith(argument);
          await movement(ledger, 5);
        }
    },
  },
  {
    name: 'F17',
    title: 'a second process is started on the spool of a running node',
    perSecond: 100,
    isForRandom: false,
    inject: async (lab, ledger) => {
      const first = lab.process(NODE);
      const second = lab.run(NODE);
      lab.processes.set(NODE, first);
      if ((await second.ended) === '0') throw new Error('The second process did not refuse to run');
      await nodeServes(lab, ledger, 50);
    },
  },
  {
    name: 'F19',
    title: 'the clock of a node jumps an hour forward and then to ten minutes before the truth',
    perSecond: 100,
    isForRandom: false,
    inject: async (lab, ledger, { seconds }) => {
      const file = join(lab.directory, 'clock-offset-ms');
      await writeFile(file, '0');
      await lab.process(NODE).stop();
      const clock = `import { readFileSync } from 'node:fs'; const now = Date.now; Date.now = () => now() + Number(readFileSync(${JSON.stringify(file)}, 'utf8'));`;
      lab.run(NODE, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(clock)}` });
      await lab.ready(NODE);
      for (const offsetMs of [3_600_000, -600_000]) {
        await writeFile(file, String(offsetMs));
        await nodeServes(lab, ledger, 50);
        await pause(1000 * seconds(20));
        await nodeServes(lab, ledger, 50);
      }
      await lab.kill(NODE);
    },
  },
];
