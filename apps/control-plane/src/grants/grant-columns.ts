import type { CreateGrant, UpdateGrant } from '@portcullis/contracts/api/grants';
import type { Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { Author } from '../changes/author.js';
import { differing } from '../database/differing.js';
import { identifyAll } from '../database/identify-all.js';
import { ProblemError } from '../http/problem.js';
import { idsOf, type About, type GrantRow } from './grants.repository.js';
import { requireMeant } from './require-meant.js';
import { termsOf, toGrant } from './to-grant.js';

/** A new grant. Refuses (400) what cannot be meant. */
export function newGrant(grant: CreateGrant, author: Author, about: About): GrantRow {
  const { kind, effect, names, condition, pinned, rateLimit, mode } = grant;
  const times = timesOf(grant.notBefore, grant.expiresAt);
  requireMeant(grant);
  const target = { ...about, ...idsOf(about), selector: grant.selector ?? null };
  const terms = { kind, effect, names: [...new Set(names)], condition, pinned: pinned as GrantRow['pinned'], rateLimit, mode, ...times };
  const now = new Date();
  return { id: v7(), ...target, ...terms, reason: grant.reason ?? null, createdBy: author.name, createdAt: now, updatedAt: now };
}

type Referring = Pick<CreateGrant, 'agent' | 'group' | 'server'>;

/** Finds what grants or rules refer to by a statement for each sort. Whoever asks about one that refers to nothing is refused (404). */
export async function findAbout(tx: Transaction, all: readonly Referring[]): Promise<(one: Referring) => About> {
  const given = (member: keyof Referring): string[] => all.flatMap((one) => one[member] ?? []);
  const agent = await identifyAll(tx, 'agent', given('agent'));
  const group = await identifyAll(tx, 'agent_group', given('group'));
  const server = await identifyAll(tx, 'server', given('server'));
  return (one) => ({
    agent: one.agent === undefined ? null : agent(one.agent),
    group: one.group === undefined ? null : group(one.group),
    server: one.server === undefined ? null : server(one.server),
  });
}

/** The row as it is wanted; undefined where it is so already. Refuses (400) what cannot be meant. */
export function updatedRow(row: GrantRow, wanted: UpdateGrant): GrantRow | undefined {
  const after = { ...toGrant(row), ...wanted, reason: wanted.reason ?? row.reason };
  requireMeant(after);
  const { condition, pinned, rateLimit, mode, reason } = after;
  const columns = { ...timesOf(after.notBefore, after.expiresAt), names: [...new Set(after.names)], reason, condition, mode };
  const terms = { pinned: pinned as GrantRow['pinned'], rateLimit };
  const change = differing({ ...row, ...termsOf(row) }, { ...columns, pinned, rateLimit });
  return Object.keys(change).length === 0 ? undefined : { ...row, ...columns, ...terms, updatedAt: new Date() };
}

function timesOf(notBefore: string | null, expiresAt: string | null): Pick<GrantRow, 'notBefore' | 'expiresAt'> {
  const times = { notBefore: notBefore === null ? null : new Date(notBefore), expiresAt: expiresAt === null ? null : new Date(expiresAt) };
  if (times.notBefore !== null && times.expiresAt !== null && times.notBefore >= times.expiresAt) {
    throw new ProblemError('validation', undefined, [{ pointer: '/expiresAt', detail: 'must lie after notBefore' }]);
  }
  return times;
}
