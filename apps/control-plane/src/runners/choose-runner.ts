import { createHash } from 'node:crypto';

/** A runner that may be given a server, and how many it has. */
export interface RunnerLoad {
  readonly id: string;
  readonly capacity: number;
  readonly servers: number;
}

/** The runner with the most room for one more; of equal ones always the same for the same server. Undefined where there is none. */
export function chooseRunner(serverId: string, runners: readonly RunnerLoad[]): string | undefined {
  const filled = ({ capacity, servers }: RunnerLoad): number => servers / capacity;
  const least = Math.min(...runners.map(filled));
  const lot = ({ id }: RunnerLoad): string => createHash('sha256').update(`${serverId} ${id}`).digest('hex');
  return runners
    .filter((runner) => filled(runner) === least)
    .map((runner) => ({ id: runner.id, lot: lot(runner) }))
    .toSorted((a, b) => (a.lot < b.lot ? -1 : 1))[0]?.id;
}
