import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { FileRequestable } from '@portcullis/contracts/api/policy-file';
import { distinct, ruleChanges, type RuleSort } from './rule-changes.js';

const requestable: RuleSort<FileRequestable> = {
  identityOf: ({ agent, group, server, selector, kind }) => ({ agent, group, server, selector, kind }),
  termsOf: ({ names, durationSecondsMax }) => ({ names: distinct(names), durationSecondsMax }),
  created: (rule) => ({ do: 'requestable.create', rule }),
  updated: (id, change) => ({ do: 'requestable.update', id, change }),
  deleted: (id) => ({ do: 'requestable.delete', id }),
};

/** Changes of what agents may ask for. Pure. */
export const requestableChanges = (
  wanted: readonly FileRequestable[] | undefined,
  existing: readonly (FileRequestable & { id: string })[],
  prune: boolean,
): DraftChange[] => ruleChanges(requestable, wanted, existing, prune);
