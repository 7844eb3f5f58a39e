import { agentSchemaOf, grantSchemaOf, serverSchemaOf, SNAPSHOT_SCHEMA_VERSION } from '@portcullis/contracts/snapshot';
import type { Transaction } from '@portcullis/database';
import { ProblemError } from '../http/problem.js';
import type { Dirty } from '../changes/dirty.js';
import { agentEntry, grantEntry, serverEntry } from './compile-entries.js';
import { readAgents, readGrants, readServers } from './snapshot-rows.js';

/** A node that was silent for longer is not waited for. It follows Redis even where it cannot reach us, so this is longer than "live". */
const COUNTED_MS = 10 * 60_000;

/**
 * Refuses (409) a change after which these buckets would say what some node cannot read, naming the nodes: an older one would keep its old policy
 * from then on. Where the published policy needs that schema already, nothing is refused, least of all a revocation.
 */
export async function requireUnderstood(tx: Transaction, dirty: readonly Dirty[]): Promise<void> {
  if (!dirty.some(({ kind }) => kind !== null)) return;
  const since = new Date(Date.now() - COUNTED_MS);
  const nodes = await tx.node.findMany({
    where: { lastSeenAt: { gt: since }, OR: [{ schemaMax: null }, { schemaMax: { lt: SNAPSHOT_SCHEMA_VERSION } }] },
    select: { name: true, schemaMax: true },
    orderBy: { name: 'asc' },
  });
  if (nodes.length === 0) return;
  const bucketsOf = (wanted: Dirty['kind']): number[] => dirty.flatMap(({ kind, bucket }) => (kind === wanted ? [bucket] : []));
  const grants = (await readGrants(tx, bucketsOf('grants'))).map((row) => grantSchemaOf(grantEntry(row)));
  const agents = (await readAgents(tx, bucketsOf('agents'))).map((row) => agentSchemaOf(agentEntry(row, new Date())));
  const servers = (await readServers(tx, bucketsOf('servers'))).map((row) => serverSchemaOf(serverEntry(row)));
  const needed = Math.max(1, ...grants, ...agents, ...servers);
  const published = (await tx.snapshotBucket.aggregate({ _max: { schema: true } }))._max.schema ?? 1;
  const behind = nodes.filter(({ schemaMax }) => (schemaMax ?? 1) < needed).map(({ name }) => name);
  if (needed <= published || behind.length === 0) return;
  throw new ProblemError(
    'conflict',
    `This needs policy schema ${needed}, which these nodes do not read yet: ${behind.join(', ')}. Update them, or remove them if they are gone.`,
  );
}
