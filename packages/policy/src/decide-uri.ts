import type { DefinitionKind } from '@portcullis/contracts/names';
import { decide } from './decide.js';
import type { Decision, JsonObject, Target } from './decision.js';
import type { PolicyTable } from './policy-table.js';
import { isCanonicalUri } from './resource-uri.js';
import type { DefinitionFacts, ServerFacts } from './selector.js';
import { compileTemplate } from './uri-template.js';

/** One of the things that a server offers, as far as it decides what a URI leads to. */
export interface Offered extends DefinitionFacts {
  readonly kind: DefinitionKind;
  readonly name: string;
}

export interface UriDecision<Definition extends Offered> {
  readonly definition: Definition;
  readonly target: Target;
  readonly decision: Decision;
}

/** Whether a URI may come from a template: only in its normal form, so that what was decided is what the server looks for. */
export function comesFrom(uri: string, template: string): boolean {
  return isCanonicalUri(uri) && compileTemplate(template)(uri);
}

/**
 * What a node makes of a URI at one server: the resource of that name where the agent may read it, else the first template by name that it may use
 * and that the URI may come from, else what would have been decided of the first that was found. Undefined where the server offers neither.
 */
export function decideUri<Definition extends Offered>(
  table: PolicyTable,
  { server, definitions }: { readonly server: ServerFacts; readonly definitions: readonly Definition[] },
  uri: string,
  { args, now }: { readonly args: JsonObject | undefined; readonly now: number },
): UriDecision<Definition> | undefined {
  const targetOf = (definition: Definition): Target => ({ server, kind: 'resources', name: definition.name, definition });
  const decided = (definition: Definition, target: Target): UriDecision<Definition> => ({
    definition,
    target,
    decision: decide(table, target, args, now),
  });
  const named = definitions.find(({ kind, name }) => kind === 'resource' && name === uri);
  const exact = named && decided(named, targetOf(named));
  if (exact !== undefined && exact.decision.refused !== 'target') return exact;
  const templates = definitions
    .filter(({ kind, name }) => kind === 'resource_template' && comesFrom(uri, name))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const usable = templates.find((template) => decide(table, targetOf(template), undefined, now).effect !== 'deny');
  if (usable !== undefined) return decided(usable, { ...targetOf(usable), uri });
  const [first] = templates;
  return exact ?? (first && decided(first, { ...targetOf(first), uri }));
}
