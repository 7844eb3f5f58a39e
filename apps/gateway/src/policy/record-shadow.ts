import { shadowDecision, type Decision, type JsonObject } from '@portcullis/policy';
import type { CallRecord } from '../audit/call-record.js';
import type { AgentView, VisibleTarget } from '../view/agent-view.js';
import { policyTarget } from './decide-target.js';

interface Decided {
  readonly view: AgentView;
  readonly args: JsonObject | undefined;
  readonly now: number;
  readonly decision: Decision;
}

/** Says in the trail where the grants in the mode `shadow` would have decided otherwise; nothing else comes of it. */
export function recordShadow(record: CallRecord, target: VisibleTarget, { view, args, now, decision }: Decided): void {
  const shadow = shadowDecision(view.table, policyTarget(target), args, { now, decision });
  if (shadow !== undefined) record.shadowed(shadow);
}
