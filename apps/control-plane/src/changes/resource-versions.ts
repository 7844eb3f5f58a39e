import { Prisma, type Transaction } from '@portcullis/database';
import { identifier } from '../revisions/policy-entities.js';

/** Where the version of a resource is found. It grows or becomes another one whenever somebody changes what can be changed, and is made from no content. */
export interface VersionedResource {
  /** Null where there is no such resource. With `lock` nobody else changes it until the transaction ends. */
  version(db: Transaction, reference: string, lock?: 'lock'): Promise<string | null>;
  /** Whether `PUT` makes what is not there, so that nobody else says so. */
  readonly isMadeByPut?: true;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface Found {
  readonly version: string;
}

const one = async (rows: Promise<Found[]>): Promise<string | null> => (await rows)[0]?.version ?? null;

/** A UUID, or the name that a column holds. */
function named(reference: string, column: 'slug' | 'name' | undefined): Prisma.Sql {
  if (uuid.test(reference)) return Prisma.sql`id = ${reference}::uuid`;
  return column === undefined ? Prisma.sql`false` : Prisma.sql`${identifier(column)} = ${reference}`;
}

/**
 * A row whose changes are kept (`keep_policy_row`): the last revision that changed it. What discovery notes down in it is no change of policy and
 * does not count. Changes of policy wait for one another, so nothing more has to be locked.
 */
function policyRow(table: string, column?: 'slug'): VersionedResource {
  return {
    version: async (db, reference) =>
      one(
        db.$queryRaw<Found[]>`SELECT coalesce((SELECT max(revision) FROM policy_row_change WHERE entity = ${table} AND key = found.id::text), 0)::text
          AS version FROM ${identifier(table)} AS found WHERE ${named(reference, column)}`,
      ),
  };
}

/** Any other row: the transaction that wrote it last. */
function row(table: string, column?: 'name'): VersionedResource {
  return {
    version: async (db, reference, lock) =>
      one(
        db.$queryRaw<Found[]>`SELECT xmin::text AS version FROM ${identifier(table)} WHERE ${named(reference, column)}
          ${lock === undefined ? Prisma.empty : Prisma.sql`FOR UPDATE`}`,
      ),
  };
}

const settings: VersionedResource = {
  version: async (db) =>
    one(
      db.$queryRaw<Found[]>`SELECT coalesce(max(revision), 0)::text AS version FROM policy_row_change WHERE entity = 'settings' AND key = 'settings'`,
    ),
};

const retention: VersionedResource = {
  version: async (db, _reference, lock) =>
    one(
      db.$queryRaw<
        Found[]
      >`SELECT xmin::text AS version FROM audit_retention WHERE id = 1 ${lock === undefined ? Prisma.empty : Prisma.sql`FOR UPDATE`}`,
    ),
};

const serverTls: VersionedResource = {
  isMadeByPut: true,
  version: async (db, reference, lock) =>
    one(
      db.$queryRaw<Found[]>`SELECT xmin::text AS version FROM server_tls WHERE server_id = (SELECT id FROM server WHERE ${named(reference, 'slug')})
        ${lock === undefined ? Prisma.empty : Prisma.sql`FOR UPDATE`}`,
    ),
};

/** A runner's row says all the time that it lives; what can be meant or not is whether it is the one that enrolled. */
const runner: VersionedResource = {
  version: async (db, reference) => one(db.$queryRaw<Found[]>`SELECT key_id AS version FROM runner WHERE ${named(reference, undefined)}`),
};

/** Every resource that can be read by itself and changed or deleted there, by the pattern of its route. A test walks the routes for it. */
export const versionedRoutes: Readonly<Record<string, VersionedResource>> = {
  '/v1/agents/:agent': policyRow('agent', 'slug'),
  '/v1/alert-rules/:id': row('alert_rule'),
  '/v1/audit/retention': retention,
  '/v1/budgets/:id': row('budget'),
  '/v1/credentials/:id': row('credential'),
  '/v1/grants/:id': policyRow('access_grant'),
  '/v1/groups/:group': policyRow('agent_group', 'slug'),
  '/v1/limits/:id': policyRow('call_limit'),
  '/v1/operators/:operator': row('operator', 'name'),
  '/v1/prices/:id': row('price'),
  '/v1/requestable/:id': policyRow('requestable_rule'),
  '/v1/runners/:id': runner,
  '/v1/servers/:server': policyRow('server', 'slug'),
  '/v1/servers/:server/tls': serverTls,
  '/v1/settings': settings,
  '/v1/webhooks/:id': row('webhook'),
};
