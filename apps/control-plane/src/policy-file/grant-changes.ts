import { isDeepStrictEqual } from 'node:util';
import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { FileGrant } from '@portcullis/contracts/api/policy-file';
import { byText } from '../drafts/access-diff.js';

type Existing = FileGrant & { readonly id: string };

/**
 * Changes of grants. A grant of the file is the existing one with its id, if that is about the same subject, target, kind and effect, which cannot
 * change; else the existing one that says the same; else a new one. Pure.
 */
export function grantChanges(wanted: readonly FileGrant[] | undefined, existing: readonly Existing[], prune: boolean): DraftChange[] {
  if (wanted === undefined) return [];
  const free = new Map(existing.map((grant) => [grant.id, grant]));
  const byContent = Map.groupBy(existing, contentOf);
  const changes: DraftChange[] = [];
  const unmatched: FileGrant[] = [];
  for (const grant of wanted) {
    const same = grant.id === undefined ? undefined : free.get(grant.id);
    if (same === undefined || identityOf(same) !== identityOf(grant)) {
      unmatched.push(grant);
      continue;
    }
    free.delete(same.id);
    const change = termsChange(same, grant);
    if (Object.keys(change).length > 0) changes.push({ do: 'grant.update', id: same.id, change });
  }
  const created: DraftChange[] = [];
  for (const grant of unmatched) {
    const alike = byContent.get(contentOf(grant))?.find(({ id }) => free.has(id));
    if (alike === undefined) created.push({ do: 'grant.create', grant: withoutId(grant) });
    else free.delete(alike.id);
  }
  const deleted = prune ? [...free.keys()].map((id): DraftChange => ({ do: 'grant.delete', id })) : [];
  return [...deleted, ...changes, ...created];
}

const times = (time: string | null): string | null => (time === null ? null : new Date(time).toISOString());
const distinct = (names: readonly string[]): string[] => [...new Set(names)].toSorted(byText);

/** What a grant is. */
const identityOf = ({ agent, group, server, selector, kind, effect }: FileGrant): string =>
  canonical({ agent, group, server, selector, kind, effect });

/** What may change in it; the remark why it was made is no part of it. */
function termsOf({ names, condition, pinned, rateLimit, mode, notBefore, expiresAt }: FileGrant) {
  return { names: distinct(names), condition, pinned, rateLimit, mode, notBefore: times(notBefore), expiresAt: times(expiresAt) };
}

const contentOf = (grant: FileGrant): string => `${identityOf(grant)} ${canonical(termsOf(grant))}`;

function termsChange(existing: Existing, wanted: FileGrant): Extract<DraftChange, { do: 'grant.update' }>['change'] {
  const [before, after] = [termsOf(existing), termsOf(wanted)];
  const changed = Object.entries(after).filter(([term, value]) => !isDeepStrictEqual(value, before[term as keyof typeof before]));
  const reason = wanted.reason === undefined || wanted.reason === existing.reason ? {} : { reason: wanted.reason };
  return { ...Object.fromEntries(changed), ...reason };
}

const withoutId = ({ id: _id, ...grant }: FileGrant): Omit<FileGrant, 'id'> => grant;

/** The same text for the same content, whatever the order of its members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => byText(a, b)))
      : member,
  );
}
