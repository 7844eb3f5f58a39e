import { createEgress, EgressRefused } from '@portcullis/egress';
import { ProblemError } from '../http/problem.js';
import { holdsSecret } from './holds-secret.js';

const egress = createEgress({ allow: [] });

/**
 * Refuses (400) an address that no process of this installation would ever go to. Whether an address on a private network may be reached is
 * for the processes that go there to say, each from its own configuration.
 */
export function requireServerUrl(url: string): void {
  const parsed = new URL(url);
  const { username, password } = parsed;
  const verdict = egress.checkUrl(url);
  const reason = username !== '' || password !== '' ? 'egress.userinfo' : verdict.ok ? undefined : verdict.reason;
  if (reason !== undefined && reason !== 'egress.address') throw refusal(new EgressRefused(reason).message);
  if (holdsSecret(parsed)) throw refusal('seems to hold a key or token, which would be kept on record in clear');
}

const refusal = (detail: string): ProblemError => new ProblemError('validation', undefined, [{ pointer: '/url', detail }]);
