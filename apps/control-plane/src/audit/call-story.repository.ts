import type { AuditEvent, Definition, Transaction } from '@portcullis/database';
import { diffOf } from '../revisions/describe-changes.js';
import { currentRows, inSequence, type NetChange } from '../revisions/net-changes.js';
import { policyEntity, type Row } from '../revisions/policy-entities.js';

/** The rows of one call, intent first. */
export async function rowsOf(tx: Transaction, callId: string): Promise<AuditEvent[]> {
  const rows = await tx.auditEvent.findMany({ where: { callId }, orderBy: [{ day: 'asc' }, { seq: 'asc' }] });
  return rows.sort((a, b) => Number(a.phase === 'outcome') - Number(b.phase === 'outcome'));
}

/** A grant as it was in this revision, in the words of revisions; null where it was not. */
export async function grantAt(tx: Transaction, id: string, revision: number): Promise<Record<string, unknown> | null> {
  const entity = policyEntity('access_grant');
  const now = (await currentRows(tx, entity, [id])).get(id) ?? null;
  const later = await tx.policyRowChange.findMany({ where: { entity: 'access_grant', key: id, revision: { gt: revision } }, orderBy: { id: 'asc' } });
  const changes = later.map(({ before, after }): NetChange => ({ entity, key: id, before: before as Row | null, after: after as Row | null }));
  const then = undone(now, changes);
  if (then === null) return null;
  const { diff } = await diffOf(tx, [{ entity, key: id, before: null, after: then }]);
  return diff[0]?.after ?? null;
}

/** What was before these changes brought about what is now. */
function undone(now: Row | null, [first, ...rest]: readonly NetChange[]): Row | null {
  if (first === undefined) return now;
  let all: NetChange | undefined = first;
  for (const change of rest) all = all === undefined ? change : inSequence(all, change);
  if (all === undefined || all.before === null) return null;
  return all.after === null ? all.before : { ...now, ...all.before };
}

/** A definition by its digest, wherever a copy of it is left: among those that are offered or approved, or in what changed. */
export async function definitionOf(tx: Transaction, serverId: string | null, hash: string): Promise<{ json: unknown; approvedNow: boolean }> {
  if (serverId === null) return { json: null, approvedNow: false };
  const known = await tx.definition.findFirst({ where: { serverId, approvedHash: hash } });
  if (known !== null) return { json: parsed(known.approvedJson), approvedNow: known.state === 'approved' };
  const offered = await tx.definition.findFirst({ where: { serverId, hash } });
  if (offered !== null) return { json: parsed(offered.json), approvedNow: false };
  const changed = await tx.definitionChange.findFirst({
    where: { serverId, OR: [{ afterHash: hash }, { beforeHash: hash }] },
    orderBy: { at: 'desc' },
  });
  return { json: parsed(changed?.afterHash === hash ? changed.afterJson : (changed?.beforeJson ?? null)), approvedNow: false };
}

function parsed(bytes: Definition['approvedJson']): unknown {
  if (bytes === null) return null;
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return value;
}

/** Questions of servers name the call in which they were asked; they are recorded while it runs. */
export async function questionsOf(
  tx: Transaction,
  { callId, day, agent }: AuditEvent,
): Promise<Pick<AuditEvent, 'callId' | 'method' | 'at' | 'status'>[]> {
  if (agent === null) return [];
  const days = [day, new Date(day.getTime() + 86_400_000)];
  const where = { day: { in: days }, agent, callId: { gt: callId }, reason: { startsWith: `asked_in:${callId}` }, phase: { not: 'intent' } };
  return tx.auditEvent.findMany({ where, orderBy: { callId: 'asc' }, take: 100, select: { callId: true, method: true, at: true, status: true } });
}
