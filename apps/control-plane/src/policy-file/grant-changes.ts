import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { FileGrant } from '@portcullis/contracts/api/policy-file';
import { distinct, ruleChanges, type RuleSort } from './rule-changes.js';

const times = (time: string | null): string | null => (time === null ? null : new Date(time).toISOString());

const grant: RuleSort<FileGrant> = {
  identityOf: ({ agent, group, server, selector, kind, effect }) => ({ agent, group, server, selector, kind, effect }),
  termsOf: ({ names, condition, pinned, rateLimit, mode, notBefore, expiresAt }) => {
    return { names: distinct(names), condition, pinned, rateLimit, mode, notBefore: times(notBefore), expiresAt: times(expiresAt) };
  },
  created: (wanted) => ({ do: 'grant.create', grant: wanted }),
  updated: (id, change) => ({ do: 'grant.update', id, change }),
  deleted: (id) => ({ do: 'grant.delete', id }),
};

/** Changes of grants: what one is about, who and what, of which kind and to what effect, cannot change. Pure. */
export const grantChanges = (
  wanted: readonly FileGrant[] | undefined,
  existing: readonly (FileGrant & { id: string })[],
  prune: boolean,
): DraftChange[] => ruleChanges(grant, wanted, existing, prune);
