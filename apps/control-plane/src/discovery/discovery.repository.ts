import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type Server } from '@portcullis/database';
import type { DueServer } from './discovery-queue.js';

/** A server to ask, and when (by Postgres' clock) asking began. */
export interface ClaimedServer {
  readonly server: Pick<Server, 'id' | 'slug' | 'url' | 'protocol' | 'transportPin' | 'era' | 'eraSeenAt' | 'bothEras' | 'seenAt'>;
  /** Whether the server has said, since it was last asked, that it changed. */
  readonly isAnnounced: boolean;
  readonly startedAt: Date;
}

const RETRY_SECONDS = 60;
/** Of a server that was never seen: it may be starting, and somebody who has just registered it waits. */
const FIRST_RETRY_SECONDS = 3;
/** A server that says its lists hold only for a moment is asked no more often than this, and than its interval lets it. */
const LEAST_SECONDS = 30;
const SOONER_MAX = 10;
/** A server that says it changed again within this time is asked no sooner than so long after it was asked last. */
const REST_SECONDS = 0.5;
/** After so many runs for which a server said that it changed, without a change, each further one makes it wait a second longer. */
const BELIEVED_ANNOUNCEMENTS = 30;
const REST_SECONDS_MAX = 60;
/** Of one host, taken from the schedule at once. The schedule is looked at once a second, so a host is not asked for more in a second. */
const PER_HOST_AT_ONCE = 50;

/** Rows as discovery needs them. Times are Postgres' own, so that a request and the run that serves it compare. */
@Injectable()
export class DiscoveryRepository {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** Servers whose time has come, a few of each host, so that one with thousands of them is not asked for all at once. */
  async due(limit: number): Promise<DueServer[]> {
    return this.database.$queryRaw<DueServer[]>`
      SELECT id, host FROM (
        SELECT *, row_number() OVER (PARTITION BY host ORDER BY next_discovery_at) AS place
        FROM (SELECT id::text AS id, next_discovery_at, lower(substring(url FROM '^[a-z]+://([^/?#]+)')) AS host
          FROM server WHERE next_discovery_at <= clock_timestamp()) AS due) AS waiting
      WHERE place <= ${PER_HOST_AT_ONCE} ORDER BY next_discovery_at LIMIT ${limit}`;
  }

  /**
   * Sets the next time: after the server's interval, or when its lists run out by its own word, as long as that is not too soon. It is spread by a
   * tenth so that servers registered together do not stay together. A disabled or suspended server has none, so it is asked only on request. Null when
   * the server is gone.
   */
  async claim(id: string): Promise<ClaimedServer | null> {
    const rows = await this.database.$queryRaw<(ClaimedServer['server'] & Omit<ClaimedServer, 'server'>)[]>`
      UPDATE server SET next_discovery_at =
        CASE WHEN enabled AND suspended_at IS NULL THEN clock_timestamp() + make_interval(secs => (0.9 + random() * 0.2) *
          least(refresh_interval_seconds, greatest(coalesce(list_ttl_seconds, refresh_interval_seconds), ${LEAST_SECONDS}::int, refresh_interval_seconds / ${SOONER_MAX}::int))) END
      WHERE id = ${id}::uuid
      RETURNING id::text AS id, slug, url, protocol::text AS protocol, transport_pin AS "transportPin", era::text AS era, era_seen_at AS "eraSeenAt", both_eras AS "bothEras", seen_at AS "seenAt",
        coalesce(announced_at > discovered_at, false) AS "isAnnounced", date_trunc('milliseconds', clock_timestamp()) AS "startedAt"`;
    const [claimed] = rows;
    if (claimed === undefined) return null;
    const { startedAt, isAnnounced, ...server } = claimed;
    return { server, startedAt, isAnnounced };
  }

  /** Notes a failure, forgets what era was assumed and tries again soon, but less soon each time. What is approved stays as it is. */
  async fail({ server, startedAt }: ClaimedServer, reason: string): Promise<void> {
    await this.database.$executeRaw`
      UPDATE server SET discovered_at = ${startedAt}, discovery_error = ${reason}, era_seen_at = NULL,
        discovery_failures = least(discovery_failures + 1, 20),
        next_discovery_at = CASE WHEN enabled AND suspended_at IS NULL THEN least(next_discovery_at,
          clock_timestamp() + make_interval(secs => CASE WHEN seen_at IS NULL THEN ${FIRST_RETRY_SECONDS}::int ELSE ${RETRY_SECONDS}::int END * power(2, discovery_failures) * (0.9 + random() * 0.2))) ELSE next_discovery_at END
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
   * Asks for a run of a server that says it changed: at once where it has not said so for a while, else when it has rested since it was asked, and ever
   * longer when it has said so many times and nothing had changed. Gives the milliseconds until then; undefined when it is disabled, suspended or gone.
   */
  async requestAfterRest(id: string): Promise<number | undefined> {
    const rows = await this.database.$queryRaw<{ waitMs: number }[]>`
      WITH said AS (
        SELECT id, clock_timestamp() AS at, discovered_at + make_interval(secs =>
            CASE WHEN announced_at > clock_timestamp() - interval '10 minutes' AND announcements > ${BELIEVED_ANNOUNCEMENTS}::int
                THEN least(${REST_SECONDS_MAX}::int, announcements - ${BELIEVED_ANNOUNCEMENTS}::int)::float
              WHEN announced_at > clock_timestamp() - make_interval(secs => ${REST_SECONDS}::float) THEN ${REST_SECONDS}::float ELSE 0 END) AS rested_at
        FROM server WHERE id = ${id}::uuid AND enabled AND suspended_at IS NULL FOR UPDATE)
      UPDATE server SET
        announced_at = said.at,
        announcements = CASE WHEN announced_at > said.at - interval '10 minutes' THEN announcements ELSE 0 END
          + CASE WHEN next_discovery_at <= greatest(said.at, rested_at) THEN 0 ELSE 1 END, -- what is asked for already is not asked for twice
        next_discovery_at = least(next_discovery_at, greatest(said.at, rested_at))
      FROM said WHERE server.id = said.id
      RETURNING greatest(0, extract(epoch FROM next_discovery_at - clock_timestamp()) * 1000)::int AS "waitMs"`;
    return rows[0]?.waitMs;
  }

  /** Where the server is to be reached, as `host:port`; undefined when there is no such server. */
  async hostOf(id: string): Promise<string | undefined> {
    const server = await this.database.server.findUnique({ where: { id }, select: { url: true } });
    return server === null ? undefined : new URL(server.url).host;
  }

  /** Milliseconds until the next run, where that is so soon that somebody has asked for it; 0 when it should have begun. */
  async requestedIn(id: string): Promise<number | undefined> {
    const rows = await this.database.$queryRaw<{ waitMs: number }[]>`
      SELECT greatest(0, ceil(extract(epoch FROM next_discovery_at - clock_timestamp()) * 1000))::int AS "waitMs"
      FROM server WHERE id = ${id}::uuid AND next_discovery_at <= clock_timestamp() + make_interval(secs => ${REST_SECONDS}::float)`;
    return rows[0]?.waitMs;
  }

  /** Whether a run that began at or after this time has ended, or the server is gone. */
  async isFinished(id: string, since: Date): Promise<boolean> {
    const row = await this.database.server.findUnique({ where: { id }, select: { discoveredAt: true } });
    return row === null || (row.discoveredAt !== null && row.discoveredAt.getTime() >= since.getTime());
  }
}
