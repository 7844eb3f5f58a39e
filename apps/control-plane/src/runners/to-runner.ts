import type { Runner } from '@portcullis/contracts/api/runners';
import { HostedServer, SandboxReport } from '@portcullis/contracts/runner/status';
import type { Runner as RunnerRow } from '@portcullis/database';
import { z } from 'zod';
import { isLive } from './is-live.js';
import { sandboxGaps } from './sandbox-gaps.js';

/** What a runner said last of the servers that it hosts; nothing where it is not understood. */
export function hostedBy({ servers }: Pick<RunnerRow, 'servers'>): HostedServer[] {
  return z.array(HostedServer).catch([]).parse(servers);
}

/** A runner as operators see it. Servers that are gone are left out. */
export function toRunner(row: RunnerRow, slugs: ReadonlyMap<string, string>, now: Date): Runner {
  const { id, name, address, version, capacity, enrolledAt, lastSeenAt } = row;
  const sandbox = SandboxReport.safeParse(row.sandbox);
  return {
    id,
    name,
    address,
    version,
    enrolledAt: enrolledAt.toISOString(),
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
    live: isLive(row, now),
    capacity,
    sandbox: sandbox.success ? sandbox.data : null,
    sandboxGaps: sandboxGaps(row.sandbox),
    servers: hostedBy(row).flatMap(({ serverId, state, instances, restarts, junkLines, throttled = false, lastError }) => {
      const server = slugs.get(serverId);
      return server === undefined ? [] : [{ server, state, instances, restarts, junkLines, throttled, lastError }];
    }),
  };
}
