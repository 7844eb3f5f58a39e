import type { ErrorCode } from '@portcullis/contracts/errors';

/** Limits that operators set. What one refuses is denied, with when to come again; which one it was is on the record as the decision's reason. */
export const POLICY_LIMITS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'limit.grant_rate',
  'limit.call_rate',
  'limit.quota',
  'limit.concurrency',
  'limit.budget',
]);
