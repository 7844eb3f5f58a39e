import type { Grant } from '@portcullis/contracts/api/grants';
import { GrantRateLimit, PinnedArguments, TargetSelector } from '@portcullis/contracts/grants';
import type { GrantRow } from './grants.repository.js';

/** A grant as REST shows it. */
export function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    subject: row.agent === null ? { group: row.group?.slug ?? '' } : { agent: row.agent.slug },
    server: row.server?.slug ?? null,
    ...termsOf(row),
    kind: row.kind,
    names: row.names,
    effect: row.effect,
    notBefore: row.notBefore?.toISOString() ?? null,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    reason: row.reason,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

type TermsRow = Pick<GrantRow, 'selector' | 'condition' | 'pinned' | 'rateLimit' | 'mode'>;

/** The terms of a stored grant, checked again: what lies in jsonb has no type of its own. */
export function termsOf(row: TermsRow): Pick<Grant, 'selector' | 'condition' | 'pinned' | 'rateLimit' | 'mode'> {
  return {
    selector: row.selector === null ? null : TargetSelector.parse(row.selector),
    condition: row.condition,
    pinned: row.pinned === null ? null : PinnedArguments.parse(row.pinned),
    rateLimit: row.rateLimit === null ? null : GrantRateLimit.parse(row.rateLimit),
    mode: row.mode,
  };
}

/** What a revision tells of a grant. */
export function described(row: GrantRow): Omit<Grant, 'id' | 'createdBy' | 'createdAt' | 'updatedAt'> {
  const { id: _id, createdBy: _createdBy, createdAt: _createdAt, updatedAt: _updatedAt, ...rest } = toGrant(row);
  return rest;
}
