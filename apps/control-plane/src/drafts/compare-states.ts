import { ProblemError } from '../http/problem.js';
import { AccessDiff } from './access-diff.js';
import type { PolicyView } from './policy-view.js';

/** Sets of rules times what is offered under them. */
const PAIRS_MAX = 20_000_000;

/** Refuses (422) what would take longer than anybody waits for an answer. */
export function compareStates(before: PolicyView, after: PolicyView, now: number): AccessDiff {
  const diff = new AccessDiff(before, after, now);
  const { kinds, targets } = diff.extent();
  if (kinds * targets <= PAIRS_MAX) return diff;
  const what = `${targets} tools, prompts and resources for agents of ${kinds} different sets of rules`;
  throw new ProblemError('unprocessable', `The draft concerns ${what}; ${PAIRS_MAX} pairs of these can be compared. Preview it in parts.`);
}
