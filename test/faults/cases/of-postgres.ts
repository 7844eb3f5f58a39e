import { setTimeout as pause } from 'node:timers/promises';
import type { FaultCase } from '../fault-case.js';
import { movement } from '../movement.js';

/** What happens to Postgres, and to the way there. */
export const postgresCases: readonly FaultCase[] = [
  {
    name: 'F10',
    title: 'Postgres stops at once and starts again',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      await movement(ledger, 20);
      await lab.postgres.signal('SIGQUIT');
      await movement(ledger, 50);
      await pause(1000 * seconds(60));
      await movement(ledger, 50);
      await lab.postgres.start();
      await movement(ledger, 20);
    },
  },
  {
    name: 'F12',
    title: 'Redis and Postgres are both gone',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      await Promise.all([lab.redis.signal('SIGKILL'), lab.postgres.signal('SIGQUIT')]);
      await movement(ledger, 50);
      await pause(1000 * seconds(300));
      await movement(ledger, 50);
      await Promise.all([lab.redis.start(), lab.postgres.start()]);
      await movement(ledger, 20);
    },
  },
  {
    name: 'F18',
    title: 'Postgres answers the workers late',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      lab.links['worker to Postgres'].delay(50);
      await pause(1000 * seconds(300));
      await movement(ledger, 50);
      lab.links['worker to Postgres'].heal();
    },
  },
];
