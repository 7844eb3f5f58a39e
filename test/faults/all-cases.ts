import { nodeCases } from './cases/of-nodes.js';
import { postgresCases } from './cases/of-postgres.js';
import { processCases } from './cases/of-processes.js';
import { redisCases } from './cases/of-redis.js';
import type { FaultCase } from './fault-case.js';

/** Every case of the way from a call to its row, in order. */
export const allCases: readonly FaultCase[] = [...processCases, ...redisCases, ...postgresCases, ...nodeCases].toSorted(
  (one, other) => Number(one.name.slice(1)) - Number(other.name.slice(1)),
);
