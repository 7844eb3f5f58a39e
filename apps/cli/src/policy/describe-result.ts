import type { AccessShift, ApplyResult, LimitShift, Preview } from '@portcullis/contracts/api/drafts';
import { limitedCalls, limitTerms } from '../limit/limit-words.js';
import { plainText } from '../plain-text.js';

const SHOWN_MAX = 20;

/** What was or would be changed, in words. */
export function describeDiff({ diff, diffTotal }: Pick<ApplyResult, 'diff' | 'diffTotal'>): string[] {
  const lines = diff.slice(0, SHOWN_MAX).map(({ kind, id, operation, before, after }) => {
    const members = (value: object | null): string => plainText(value === null ? '' : JSON.stringify(value), 300);
    const what = operation === 'updated' ? `${members(before)} → ${members(after)}` : members(before ?? after);
    return `  ${operation} ${kind} ${plainText(id, 80)} ${what}`;
  });
  return diffTotal > lines.length ? [...lines, `  and ${diffTotal - lines.length} more`] : lines;
}

/** Who would gain and lose what, in words. */
export function describePreview({ gained, lost, conditional, calls, limits }: Preview): string[] {
  const list = (title: string, { count, items }: Preview['gained']): string[] => {
    const lines = items.slice(0, SHOWN_MAX).map(describeShift);
    return [`${title}: ${count}`, ...lines, ...(count > lines.length ? [`  and ${count - lines.length} more`] : [])];
  };
  return [
    ...list('Gained', gained),
    ...list('Lost', lost),
    ...list('On other conditions', conditional),
    ...(calls === null ? [] : describeCalls(calls)),
    ...(limits === null ? [] : describeLimits(limits)),
  ];
}

const describeShift = ({ agent, ref, before, after }: AccessShift): string => `  ${agent} ${plainText(ref, 300)} (${before} → ${after})`;

function describeCalls({ days, calls, allowedToDenied, deniedToAllowed, undecidable, unexamined }: NonNullable<Preview['calls']>): string[] {
  const rest = [
    ...(undecidable > 0 ? [`${undecidable} cannot be decided again: their arguments were not kept whole`] : []),
    ...(unexamined > 0 ? [`${unexamined} were too many to look at`] : []),
  ];
  return [
    `Of ${calls} recorded calls of ${days} days: ${allowedToDenied} allowed would be denied, ${deniedToAllowed} denied would be allowed`,
    ...rest,
  ];
}

function describeLimits({ count, items }: NonNullable<Preview['limits']>): string[] {
  if (count === 0) return [];
  const lines = items.map(describeLimit);
  return [`Limits: ${count}`, ...lines, ...(count > lines.length ? [`  and ${count - lines.length} more`] : [])];
}

function describeLimit({ subject, before, after, refused, calls, beyond }: LimitShift): string {
  const termsOf = (terms: typeof before): string => (terms === null ? 'none' : limitTerms(terms));
  const told = [
    ...(before === null ? [] : [`refused ${refused} recorded calls`]),
    ...(calls === null ? [] : [`${calls} recorded calls count to it`]),
    ...(beyond === null ? [] : [`at least ${beyond} of them are beyond it`]),
  ];
  return `  ${limitedCalls(subject)} (${termsOf(before)} → ${termsOf(after)}): ${told.join(', ')}`;
}
