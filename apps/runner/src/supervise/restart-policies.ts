import { RestartPolicy } from './restart-policy.js';

const POLICIES_MAX = 2000;

/** One policy for each agent with children of its own, or for the one that all share: whose child fails does nothing to those of others. */
export class RestartPolicies {
  private readonly policies = new Map<string, RestartPolicy>();

  constructor(private readonly now: () => number) {}

  of(key: string): RestartPolicy {
    const known = this.policies.get(key);
    if (known !== undefined) return known;
    if (this.policies.size >= POLICIES_MAX) this.dropForgotten();
    const policy = new RestartPolicy();
    this.policies.set(key, policy);
    return policy;
  }

  /** Whether any child is not to be started yet. */
  isAnyWaiting(): boolean {
    const now = this.now();
    for (const policy of this.policies.values()) if (policy.delayMs(now) > 0) return true;
    return false;
  }

  private dropForgotten(): void {
    const now = this.now();
    for (const [key, policy] of this.policies) if (!policy.isQuarantined && !policy.hasFailed(now)) this.policies.delete(key);
  }
}
