import type { Transaction } from '@portcullis/database';
import { hasKeys, identifier, keyExpression, policyEntities, policyEntity, type PolicyEntity, type Row } from './policy-entities.js';

/** What a revision did to one row in the end: created (`before` null), deleted (`after` null), or changed in these columns. */
export interface NetChange {
  readonly entity: PolicyEntity;
  readonly key: string;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** What a revision did to policy, each row once, parents before children. */
export async function netChanges(tx: Transaction, revision: number): Promise<NetChange[]> {
  const rows = await tx.policyRowChange.findMany({ where: { revision }, orderBy: { id: 'asc' } });
  const folded = new Map<string, NetChange>();
  for (const { entity, key, before, after } of rows) {
    const next: NetChange = { entity: policyEntity(entity), key, before: before as Row | null, after: after as Row | null };
    const place = `${entity} ${key}`;
    const earlier = folded.get(place);
    const net = earlier === undefined ? next : inSequence(earlier, next);
    if (net === undefined) folded.delete(place);
    else folded.set(place, net);
  }
  const changes = [...folded.values()];
  return policyEntities.flatMap((entity) => changes.filter((change) => change.entity === entity));
}

/** Two changes of one row as one; nothing where the second undoes the first. */
export function inSequence(first: NetChange, second: NetChange): NetChange | undefined {
  const { entity, key } = first;
  const isUpdate = (change: NetChange): boolean => change.before !== null && change.after !== null;
  if (isUpdate(second)) {
    const after = { ...first.after, ...second.after };
    // What the first did not touch was before the second as it was before both.
    return { entity, key, before: first.before === null ? null : { ...second.before, ...first.before }, after };
  }
  if (second.after === null) {
    if (first.before === null) return undefined;
    return { entity, key, before: { ...second.before, ...first.before }, after: null };
  }
  return { entity, key, before: first.before, after: second.after };
}

/** The rows with these keys as they are now, long bytes as digests. */
export async function currentRows(tx: Transaction, entity: PolicyEntity, keys: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  if (keys.length === 0) return new Map();
  if (entity.name === 'settings') {
    const state = await tx.policyState.findUniqueOrThrow({ where: { id: 1 } });
    return new Map([['settings', state.settings as Row]]);
  }
  const key = keyExpression(entity);
  const rows = await tx.$queryRaw<{ key: string; row: Row }[]>`
    SELECT ${key} AS key, policy_row_brief(to_jsonb(t)) AS row FROM ${identifier(entity.name)} t WHERE ${hasKeys(entity, keys)}`;
  return new Map(rows.map(({ key: found, row }) => [found, row]));
}
