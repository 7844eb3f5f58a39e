import { BUCKETS_PER_KIND, bucketOf } from '@portcullis/contracts/snapshot';
import { Prisma, type Transaction } from '@portcullis/database';
import { agentBucket } from '../agents/agents.service.js';
import type { Dirty } from '../changes/policy-changes.js';
import { serverBucket } from '../servers/servers.service.js';

/** A row by its columns, as Postgres writes it in JSON. */
export type Row = Readonly<Record<string, unknown>>;

/** A table (or the settings) whose rows are policy. */
export interface PolicyEntity {
  readonly name: string;
  /** What operators call a row of it. */
  readonly noun: string;
  readonly key: readonly string[];
  /** Buckets of the snapshot that the row is part of. */
  readonly dirty: (row: Row) => readonly Dirty[];
  /** Keys are issued once: what was done to them cannot be undone. */
  readonly isSecret?: boolean;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const grantDirty = (row: Row): Dirty[] => [{ kind: 'grants', bucket: bucketOf(text(row['agent_id'] ?? row['group_id'])) }];

/** Whose members are not in the row: what is given back of a group's limit has the agents of all buckets compiled again. */
const everyAgent: readonly Dirty[] = Array.from({ length: BUCKETS_PER_KIND }, (_, bucket) => ({ kind: 'agents', bucket }));

function limitDirty({ agent_id: agentId, server_id: serverId }: Row): readonly Dirty[] {
  if (typeof serverId === 'string') return [serverBucket(serverId)];
  return typeof agentId === 'string' ? [agentBucket(agentId)] : everyAgent;
}

/** Parents before children. */
export const policyEntities: readonly PolicyEntity[] = [
  { name: 'settings', noun: 'settings', key: [], dirty: () => [{ kind: null, bucket: 0 }] },
  { name: 'server', noun: 'server', key: ['id'], dirty: ({ id }) => [serverBucket(text(id))] },
  { name: 'agent', noun: 'agent', key: ['id'], dirty: ({ id }) => [agentBucket(text(id))] },
  { name: 'agent_group', noun: 'group', key: ['id'], dirty: () => [] },
  { name: 'definition', noun: 'definition', key: ['id'], dirty: (row) => [serverBucket(text(row['server_id']))] },
  { name: 'agent_key', noun: 'agent key', key: ['id'], dirty: (row) => [agentBucket(text(row['agent_id']))], isSecret: true },
  { name: 'agent_identity', noun: 'agent identity', key: ['id'], dirty: (row) => [agentBucket(text(row['agent_id']))] },
  { name: 'agent_group_member', noun: 'group member', key: ['group_id', 'agent_id'], dirty: (row) => [agentBucket(text(row['agent_id']))] },
  { name: 'access_grant', noun: 'grant', key: ['id'], dirty: grantDirty },
  { name: 'requestable_rule', noun: 'requestable', key: ['id'], dirty: grantDirty },
  { name: 'call_limit', noun: 'limit', key: ['id'], dirty: limitDirty },
];

const byName = new Map(policyEntities.map((entity) => [entity.name, entity]));

export function policyEntity(name: string): PolicyEntity {
  const entity = byName.get(name);
  if (entity === undefined) throw new Error(`Rows of ${name} are kept, but nothing is known of them here`);
  return entity;
}

/** A table or column name inside a statement; refuses whatever is not plainly one. */
export function identifier(name: string): Prisma.Sql {
  if (!/^[a-z_]{1,63}$/.test(name)) throw new Error(`${name} is no name of a table or column`);
  return Prisma.raw(`"${name}"`);
}

/** The key of a row of this table as it is kept: its columns joined by a slash. */
export const keyExpression = ({ key }: PolicyEntity): Prisma.Sql =>
  Prisma.join(
    key.map((column) => Prisma.sql`t.${identifier(column)}::text`),
    ` || '/' || `,
  );

/** Rows of this table with these keys. */
export const hasKeys = (entity: PolicyEntity, keys: readonly string[]): Prisma.Sql =>
  entity.key.length === 1 && entity.isSecret !== true
    ? Prisma.sql`t.id = ANY(${[...keys]}::uuid[])` // by its index
    : Prisma.sql`${keyExpression(entity)} = ANY(${[...keys]})`;

/** Columns that can be written; those that Postgres derives from others cannot. */
export async function writableColumns(tx: Transaction, table: string): Promise<ReadonlySet<string>> {
  const rows = await tx.$queryRaw<{ name: string }[]>`
    SELECT attname::text AS name FROM pg_attribute
    WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`;
  return new Set(rows.map(({ name }) => name));
}

/** Which rows go when another goes, and which cannot be without it. */
export interface Reference {
  readonly child: string;
  readonly column: string;
  readonly parent: string;
  readonly cascades: boolean;
}

/** Every single-column reference to a policy table, as the database enforces it, whoever declared it. */
export async function policyReferences(tx: Transaction): Promise<readonly Reference[]> {
  const parents = policyEntities.map(({ name }) => name);
  return tx.$queryRaw<Reference[]>`
    SELECT child.relname::text AS child, a.attname::text AS column, parent.relname::text AS parent, c.confdeltype = 'c' AS cascades
    FROM pg_constraint c JOIN pg_class child ON child.oid = c.conrelid JOIN pg_class parent ON parent.oid = c.confrelid
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.confdeltype <> 'n' AND parent.relname = ANY(${parents})`;
}
