import { isDeepStrictEqual } from 'node:util';
import type { DraftChange } from '@portcullis/contracts/api/drafts';
import { byText } from '../drafts/access-diff.js';

interface FileRule {
  readonly id?: string | undefined;
  readonly reason?: string | undefined;
}

/** What tells rules of one sort apart, and how they are changed. */
export interface RuleSort<Rule extends FileRule> {
  /** What a rule is about, which cannot change. */
  readonly identityOf: (rule: Rule) => object;
  /** What may change in it; the remark why it was made is no part of it. */
  readonly termsOf: (rule: Rule) => Readonly<Record<string, unknown>>;
  readonly created: (rule: Omit<Rule, 'id'>) => DraftChange;
  readonly updated: (id: string, change: Readonly<Record<string, unknown>>) => DraftChange;
  readonly deleted: (id: string) => DraftChange;
}

/**
 * Changes of rules. A rule of the file is the existing one with its id, if that is about the same; else the existing one that says the same; else a
 * new one. Pure.
 */
export function ruleChanges<Rule extends FileRule>(
  sort: RuleSort<Rule>,
  wanted: readonly Rule[] | undefined,
  existing: readonly (Rule & { readonly id: string })[],
  prune: boolean,
): DraftChange[] {
  if (wanted === undefined) return [];
  const identityOf = (rule: Rule): string => canonical(sort.identityOf(rule));
  const contentOf = (rule: Rule): string => `${identityOf(rule)} ${canonical(sort.termsOf(rule))}`;
  const free = new Map(existing.map((rule) => [rule.id, rule]));
  const byContent = Map.groupBy(existing, contentOf);
  const changes: DraftChange[] = [];
  const unmatched: Rule[] = [];
  for (const rule of wanted) {
    const same = rule.id === undefined ? undefined : free.get(rule.id);
    if (same === undefined || identityOf(same) !== identityOf(rule)) {
      unmatched.push(rule);
      continue;
    }
    free.delete(same.id);
    const change = termsChange(sort, same, rule);
    if (Object.keys(change).length > 0) changes.push(sort.updated(same.id, change));
  }
  const created: DraftChange[] = [];
  for (const rule of unmatched) {
    const alike = byContent.get(contentOf(rule))?.find(({ id }) => free.has(id));
    if (alike === undefined) created.push(sort.created(withoutId(rule)));
    else free.delete(alike.id);
  }
  const deleted = prune ? [...free.keys()].map(sort.deleted) : [];
  return [...deleted, ...changes, ...created];
}

/** The names of a rule, whose order says nothing. */
export const distinct = (names: readonly string[]): string[] => [...new Set(names)].toSorted(byText);

function termsChange<Rule extends FileRule>(sort: RuleSort<Rule>, existing: Rule, wanted: Rule): Record<string, unknown> {
  const [before, after] = [sort.termsOf(existing), sort.termsOf(wanted)];
  const changed = Object.entries(after).filter(([term, value]) => !isDeepStrictEqual(value, before[term]));
  const reason = wanted.reason === undefined || wanted.reason === existing.reason ? {} : { reason: wanted.reason };
  return { ...Object.fromEntries(changed), ...reason };
}

const withoutId = <Rule extends FileRule>({ id: _id, ...rule }: Rule): Omit<Rule, 'id'> => rule;

/** The same text for the same content, whatever the order of its members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => byText(a, b)))
      : member,
  );
}
