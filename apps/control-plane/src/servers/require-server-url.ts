import { createEgress, EgressRefused } from '@portcullis/egress';
import { ProblemError } from '../http/problem.js';

const egress = createEgress({ allow: [] });

/**
 * Refuses (400) an address that no process of this installation would ever go to. Whether an address on a private network may be reached is
 * for the processes that go there to say, each from its own configuration.
 */
export function requireServerUrl(url: string): void {
  const { username, password } = new URL(url);
  const verdict = egress.checkUrl(url);
  const reason = username !== '' || password !== '' ? 'egress.userinfo' : verdict.ok ? undefined : verdict.reason;
  if (reason === undefined || reason === 'egress.address') return;
  throw new ProblemError('validation', undefined, [{ pointer: '/url', detail: new EgressRefused(reason).message }]);
}
