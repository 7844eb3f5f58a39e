import { RUNNER_DEAD_AFTER_MS } from '@portcullis/contracts/runner/heartbeat';
import type { Runner } from '@portcullis/database';

/** Whether a runner has reported lately, and does not say that it goes. */
export function isLive({ lastSeenAt, leftAt }: Pick<Runner, 'lastSeenAt' | 'leftAt'>, now: Date): boolean {
  return lastSeenAt !== null && leftAt === null && now.getTime() - lastSeenAt.getTime() <= RUNNER_DEAD_AFTER_MS;
}
