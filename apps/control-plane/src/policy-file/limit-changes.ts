import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { FileLimit } from '@portcullis/contracts/api/policy-file';
import { distinct, ruleChanges, type RuleSort } from './rule-changes.js';

const limit: RuleSort<FileLimit> = {
  identityOf: ({ agent, group, server, tools, terms: { kind } }) => ({ agent, group, server, isOfTools: tools !== undefined, kind }),
  termsOf: ({ terms, tools }) => ({ terms, ...(tools !== undefined && { tools: distinct(tools) }) }),
  created: (wanted) => ({ do: 'limit.create', limit: wanted }),
  updated: (id, change) => ({ do: 'limit.update', id, change }),
  deleted: (id) => ({ do: 'limit.delete', id }),
};

/** Changes of limits of calls: a limit of another kind is another limit. Pure. */
export const limitChanges = (
  wanted: readonly FileLimit[] | undefined,
  existing: readonly (FileLimit & { id: string })[],
  prune: boolean,
): DraftChange[] => ruleChanges(limit, wanted, existing, prune);
