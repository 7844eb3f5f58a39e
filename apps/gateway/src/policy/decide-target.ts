import { targetKindOf } from '@portcullis/contracts/names';
import type { DefinitionEntry } from '@portcullis/contracts/snapshot';
import { decide, reasonCodes, type Decision, type JsonObject, type Target } from '@portcullis/policy';
import type { AgentView, VisibleTarget } from '../view/agent-view.js';

/** What a call comes to whose arguments are no object, where they would have decided. */
export function refusedAsNoObject(decision: Decision): Decision {
  const reasons = [{ code: reasonCodes.conditionError, grantId: decision.grantId }];
  return { ...decision, effect: 'deny', refused: 'arguments', reasons };
}

/** What policy looks at of a target, and the name that it was asked for by. */
interface PolicyTargetParts {
  readonly server: Target['server'];
  readonly definition: Pick<DefinitionEntry, 'kind' | 'name' | 'json'>;
  readonly wire: string;
}

/** What policy is asked about: for a resource from a template the template, which is what was granted, and the URI, which may be denied. */
export function policyTarget({ server, definition, wire }: PolicyTargetParts): Target {
  const { kind, name } = definition;
  const uri = kind === 'resource_template' && wire !== name ? wire : undefined;
  return { server, kind: targetKindOf[kind], name, uri, definition };
}

/** The one decision about a target: the same for calls, reads and prompts, and the one that made the lists. */
export function decideTarget(view: AgentView, target: VisibleTarget, args: JsonObject | undefined, now: number): Decision {
  return decide(view.table, policyTarget(target), args, now);
}
