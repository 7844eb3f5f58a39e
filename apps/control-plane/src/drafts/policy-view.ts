import type { TargetKind } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { targetKindOf } from '@portcullis/contracts/names';
import type { PolicyDefinition, PolicyServer } from '../policy/policy.repository.js';

/** As much of one state of policy as decides about these agents at these servers. */
export interface PolicyView {
  readonly agents: readonly AgentEntry[];
  readonly servers: readonly PolicyServer[];
  readonly grants: readonly GrantEntry[];
}

/** Something that nodes have, with what was approved of it. */
export interface ServedTarget {
  readonly kind: TargetKind;
  readonly name: string;
  readonly definition: PolicyDefinition;
}

const offered = new WeakMap<PolicyServer, ReadonlyMap<string, ServedTarget>>();
const NOTHING: ReadonlyMap<string, ServedTarget> = new Map();

/** What a server offers to those who are granted it; a resource and a template of one name are one. */
export function servedTargets(server: PolicyServer | undefined): ReadonlyMap<string, ServedTarget> {
  if (server === undefined || !server.enabled) return NOTHING;
  const known = offered.get(server);
  if (known !== undefined) return known;
  const served = server.definitions.filter((definition) => definition.served);
  const targets = new Map(
    served.map((definition) => {
      const [kind, { name }] = [targetKindOf[definition.kind], definition];
      return [`${kind} ${name}`, { kind, name, definition }];
    }),
  );
  offered.set(server, targets);
  return targets;
}
