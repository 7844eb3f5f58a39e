import type { Limit } from '@portcullis/contracts/api/limits';
import { CallLimitTerms } from '@portcullis/contracts/limits';
import type { Use } from '@portcullis/policy';
import type { LimitRow } from './limits.repository.js';

/** A limit as operators see it, with what is used of it where that is known. */
export function toLimit(row: LimitRow, use?: Use): Limit {
  return {
    id: row.id,
    subject: subjectOf(row),
    terms: CallLimitTerms.parse(row.terms),
    used: use?.used ?? null,
    spentUntil: use === undefined || use.freeInMs === 0 ? null : new Date(Date.now() + use.freeInMs).toISOString(),
    reason: row.reason,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function subjectOf({ agent, group, server, tools }: LimitRow): Limit['subject'] {
  if (agent !== null) return { agent: agent.slug };
  return group === null ? { server: server?.slug ?? '', tools: tools.length === 0 ? null : tools } : { group: group.slug };
}
