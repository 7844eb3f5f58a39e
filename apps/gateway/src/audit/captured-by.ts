import { redactText, sanitiseText, type Captured, type CaptureRule } from '@portcullis/audit';
import { ownNameOf, type VisibleTarget } from '../view/agent-view.js';
import type { Visit } from '../visit.js';
import { captureRulesOf } from './capture-rules.js';

/** How something that was said in this request is captured. `canonical` is asked for the form of which a keyed digest is made, if not of what was said. */
export function capturedBy(visit: Visit, rule: CaptureRule, canonical?: () => string): Captured {
  return { rule, ownSecret: ownSecretOf(visit), key: visit.gateway.captureKey, canonical };
}

/** The same of the result of a target, for an answer that is never held whole. */
export const resultCapturedBy = (visit: Visit, target: VisibleTarget): Captured =>
  capturedBy(visit, captureRulesOf(visit.live.settings, target.server, ownNameOf(target)).results);

/** The end of the caller's key or token, which nobody else's has: so much of it is secret in every kind. */
const OWN_SECRET_CHARS = 43;

/** What of the caller's key must be on no record. */
export function ownSecretOf({ head: { authorization } }: Visit): string | undefined {
  return authorization === undefined || authorization.length < OWN_SECRET_CHARS ? undefined : authorization.slice(-OWN_SECRET_CHARS);
}

/** Methods of the protocol, and our own names for what is none; anything else may be whatever somebody wrote there. */
const PLAIN_METHOD = /^[a-zA-Z-]{1,30}(?:\/[a-zA-Z_-]{1,30}){0,3}$/;

/** A method as it is on record. */
export const methodText = (method: string, visit: Visit): string =>
  PLAIN_METHOD.test(method) ? method : sanitiseText(redactText(method, ownSecretOf(visit)));
