import type { PrismaClient, Runner, Transaction } from '@portcullis/database';
import type { RunnerLoad } from './choose-runner.js';

/** A server for which something is to be done. */
export interface DueHosting {
  readonly serverId: string;
  readonly runnerId: string | null;
  /** Whether its runner knows of it, and nodes do not know of its runner. */
  readonly isUntold: boolean;
}

/** Servers with an approved profile that nobody hosts, or one of those that are gone, or that are where nodes do not go, or have not been asked. */
export async function due(database: PrismaClient, gone: readonly string[]): Promise<DueHosting[]> {
  return database.$queryRaw<DueHosting[]>`
    SELECT h.server_id::text AS "serverId", h.runner_id::text AS "runnerId",
      h.told_at IS NOT NULL AND (h.place_runner_id, h.place_address) IS DISTINCT FROM (h.runner_id, r.address) AS "isUntold"
    FROM hosting h LEFT JOIN runner r ON r.id = h.runner_id
    WHERE EXISTS (SELECT 1 FROM launch_profile p WHERE p.server_id = h.server_id AND p.state = 'approved')
      AND (h.runner_id IS NULL OR h.runner_id = ANY(${[...gone]}::uuid[])
        OR (h.told_at IS NOT NULL AND (h.discover OR (h.place_runner_id, h.place_address) IS DISTINCT FROM (h.runner_id, r.address))))
    ORDER BY h.server_id`;
}

/** How much each of these has to do. */
export async function loadsOf(database: PrismaClient | Transaction, runners: readonly Pick<Runner, 'id' | 'capacity'>[]): Promise<RunnerLoad[]> {
  const where = { runnerId: { in: runners.map(({ id }) => id) } };
  const counts = await database.hosting.groupBy({ by: ['runnerId'], where, _count: true });
  return runners.map(({ id, capacity }) => ({ id, capacity, servers: counts.find(({ runnerId }) => runnerId === id)?._count ?? 0 }));
}

/** False where somebody else has assigned it meanwhile. */
export async function assign(
  database: PrismaClient | Transaction,
  serverId: string,
  to: { before: string | null; runnerId: string },
): Promise<boolean> {
  if (to.before === to.runnerId) return false;
  const { count } = await database.hosting.updateMany({
    where: { serverId, runnerId: to.before },
    data: { runnerId: to.runnerId, toldAt: null },
  });
  return count > 0;
}

/** Notes that a runner knows of these, but of none for which another profile was approved meanwhile. */
export async function markTold(
  database: PrismaClient,
  runnerId: string,
  told: readonly { readonly serverId: string; readonly profileHash: string }[],
): Promise<void> {
  if (told.length === 0) return;
  const [ids, hashes] = [told.map(({ serverId }) => serverId), told.map(({ profileHash }) => profileHash)];
  await database.$executeRaw`
    UPDATE hosting h SET told_at = now() FROM unnest(${ids}::uuid[], ${hashes}::text[]) AS told (server_id, hash)
    WHERE h.server_id = told.server_id AND h.runner_id = ${runnerId}::uuid AND h.told_at IS NULL
      AND EXISTS (SELECT 1 FROM launch_profile p WHERE p.server_id = h.server_id AND p.state = 'approved' AND p.hash = told.hash)`;
}

interface Placed {
  readonly serverId: string;
  readonly slug: string;
  readonly runnerId: string;
  readonly runner: string;
}

/** Has nodes go to the runners that know of their servers; gives what that changed. */
export async function publishPlaces(tx: Transaction): Promise<Placed[]> {
  return tx.$queryRaw<Placed[]>`
    UPDATE hosting h SET place_runner_id = r.id, place_address = r.address
    FROM runner r, server s
    WHERE r.id = h.runner_id AND s.id = h.server_id AND h.told_at IS NOT NULL AND (h.place_runner_id, h.place_address) IS DISTINCT FROM (r.id, r.address)
    RETURNING h.server_id::text AS "serverId", s.slug, r.id::text AS "runnerId", r.name AS runner`;
}

/** Servers that are to be asked what they offer, now that they are where nodes go; each is given once. */
export async function takeToDiscover(database: PrismaClient): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    UPDATE hosting SET discover = false WHERE discover AND told_at IS NOT NULL AND place_runner_id = runner_id RETURNING server_id::text AS id`;
  return rows.map(({ id }) => id);
}
