import { termFaults, type Grant } from '@portcullis/contracts/api/grants';
import { compileCondition } from '@portcullis/policy';
import { ProblemError, type Fault } from '../http/problem.js';

type Terms = Pick<Grant, 'kind' | 'effect' | 'condition' | 'pinned' | 'rateLimit'> & { readonly selector?: Grant['selector'] | undefined };

/** What each member says may be in order, and the whole still not what can be meant: terms that contradict, a condition that is none. */
export function requireMeant(grant: Terms): void {
  const faults: Fault[] = termFaults(grant).map(({ member, message }) => ({ pointer: `/${member}`, detail: message }));
  const fault = grant.condition === null ? undefined : compileCondition(grant.condition).fault;
  if (fault !== undefined) {
    const where = fault.offset === undefined ? '' : ` (at character ${fault.offset + 1})`;
    faults.push({ pointer: '/condition', detail: `is not a condition: ${fault.message}${where}` });
  }
  if (faults.length > 0) throw new ProblemError('validation', undefined, faults);
}
