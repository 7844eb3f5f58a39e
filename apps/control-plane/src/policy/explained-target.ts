import { targetKindOf, type TargetKind } from '@portcullis/contracts/names';
import { compileTable, decideUri, type ExplainFacts } from '@portcullis/policy';
import type { PolicyDefinition, PolicyServer } from './policy.repository.js';

interface Named {
  readonly kind: TargetKind;
  readonly name: string;
}

/** What a node would decide about under this name: a URI that no resource has may come from a template. */
export function explainedTarget(
  server: PolicyServer | undefined,
  named: Named,
  { agent, grants, args, now }: Pick<ExplainFacts, 'agent' | 'grants' | 'args' | 'now'>,
): Pick<ExplainFacts, 'target' | 'definition'> {
  const definition = definitionOf(server, named);
  if (named.kind !== 'resources' || server === undefined || agent === null) return { target: named, definition };
  const table = compileTable({ agent: { ...agent, enabled: true }, grants });
  const among = (definitions: readonly PolicyDefinition[]) => decideUri(table, { server, definitions }, named.name, { args, now });
  // What nodes do not have is worth naming only where they have nothing.
  const found = among(server.definitions.filter(({ served }) => served)) ?? (definition === null ? among(server.definitions) : undefined);
  if (found === undefined) return { target: named, definition };
  return { target: { kind: named.kind, name: found.target.name, uri: found.target.uri }, definition: found.definition };
}

function definitionOf(server: PolicyServer | undefined, { kind, name }: Named): PolicyDefinition | null {
  const found = (server?.definitions ?? []).filter((definition) => targetKindOf[definition.kind] === kind && definition.name === name);
  // A resource and a template may share a name: the one that nodes have speaks for both.
  return found.find(({ served }) => served) ?? found[0] ?? null;
}
