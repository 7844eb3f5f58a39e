import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type Server } from '@portcullis/database';

/** A server to ask, and when (by Postgres' clock) asking began. */
export interface ClaimedServer {
  readonly server: Pick<Server, 'id' | 'slug' | 'url' | 'protocol' | 'era' | 'eraSeenAt'>;
  readonly startedAt: Date;
}

const RETRY_SECONDS = 60;
/** Between two runs that a server itself has brought about. */
const REST_SECONDS = 5;

/** Rows as discovery needs them. Times are Postgres' own, so that a request and the run that serves it compare. */
@Injectable()
export class DiscoveryRepository {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** Servers whose time has come. */
  async due(limit: number): Promise<string[]> {
    const rows = await this.database.$queryRaw<{ id: string }[]>`
      SELECT id::text AS id FROM server WHERE next_discovery_at <= clock_timestamp() ORDER BY next_discovery_at LIMIT ${limit}`;
    return rows.map(({ id }) => id);
  }

  /**
   * Sets the next time, spread by a tenth so that servers registered together do not stay together. A disabled server has none, so it is asked only
   * on request. Null when the server is gone.
   */
  async claim(id: string): Promise<ClaimedServer | null> {
    const rows = await this.database.$queryRaw<{ at: Date }[]>`
      UPDATE server SET next_discovery_at =
        CASE WHEN enabled THEN clock_timestamp() + make_interval(secs => refresh_interval_seconds * (0.9 + random() * 0.2)) END
      WHERE id = ${id}::uuid RETURNING date_trunc('milliseconds', clock_timestamp()) AS at`;
    const startedAt = rows[0]?.at;
    if (startedAt === undefined) return null;
    const select = { id: true, slug: true, url: true, protocol: true, era: true, eraSeenAt: true } as const;
    const server = await this.database.server.findUnique({ where: { id }, select });
    return server === null ? null : { server, startedAt };
  }

  /** Notes a failure, forgets what era was assumed and tries again soon. What is approved stays as it is. */
  async fail({ server, startedAt }: ClaimedServer, reason: string): Promise<void> {
    await this.database.$executeRaw`
      UPDATE server SET discovered_at = ${startedAt}, discovery_error = ${reason}, era_seen_at = NULL,
        next_discovery_at = CASE WHEN enabled
          THEN least(next_discovery_at, clock_timestamp() + make_interval(secs => ${RETRY_SECONDS} * (0.9 + random() * 0.2))) ELSE next_discovery_at END
      WHERE id = ${server.id}::uuid AND url = ${server.url}`;
  }

  /** Asks for a run as soon as may be. Gives the time from which on a run counts as asked for; null when there is no such server. */
  async request(id: string): Promise<Date | null> {
    const rows = await this.database.$queryRaw<{ at: Date }[]>`
      UPDATE server SET next_discovery_at = clock_timestamp() WHERE id = ${id}::uuid
      RETURNING date_trunc('milliseconds', clock_timestamp()) AS at`;
    return rows[0]?.at ?? null;
  }

  /**
   * Asks for a run of an enabled server as soon as it has rested since its last one. True when that is now; else the schedule finds it when its time
   * has come.
   */
  async requestAfterRest(id: string): Promise<boolean> {
    const rows = await this.database.$queryRaw<{ due: boolean }[]>`
      UPDATE server SET next_discovery_at = least(next_discovery_at, greatest(clock_timestamp(), discovered_at + make_interval(secs => ${REST_SECONDS})))
      WHERE id = ${id}::uuid AND enabled RETURNING next_discovery_at <= clock_timestamp() AS due`;
    return rows[0]?.due ?? false;
  }

  /** Whether a run was asked for that has not begun. */
  async isRequested(id: string): Promise<boolean> {
    const rows = await this.database.$queryRaw<unknown[]>`SELECT 1 FROM server WHERE id = ${id}::uuid AND next_discovery_at <= clock_timestamp()`;
    return rows.length > 0;
  }

  /** Whether a run that began at or after this time has ended, or the server is gone. */
  async isFinished(id: string, since: Date): Promise<boolean> {
    const row = await this.database.server.findUnique({ where: { id }, select: { discoveredAt: true } });
    return row === null || (row.discoveredAt !== null && row.discoveredAt.getTime() >= since.getTime());
  }
}
