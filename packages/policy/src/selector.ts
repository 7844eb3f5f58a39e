import type { AnnotationHint, TargetSelector } from '@portcullis/contracts/grants';
import type { ServerEntry } from '@portcullis/contracts/snapshot';

/** What of a server decisions depend on. */
export type ServerFacts = Pick<ServerEntry, 'id' | 'slug' | 'tags' | 'environment'>;

/** An approved definition, as far as decisions depend on it: its exact JSON text. */
export interface DefinitionFacts {
  readonly json: string;
}

/** Whether a selector is about this server, as far as servers go. */
export function selectsServer({ tags, environment }: TargetSelector, server: Pick<ServerFacts, 'tags' | 'environment'>): boolean {
  if (environment !== undefined && environment !== server.environment) return false;
  if (tags === undefined) return true;
  const { allOf, anyOf } = tags;
  if (allOf !== undefined && !allOf.every((tag) => server.tags.includes(tag))) return false;
  return anyOf === undefined || anyOf.some((tag) => server.tags.includes(tag));
}

/** What a tool says about itself, every hint decided. */
export type Hints = Readonly<Record<AnnotationHint, boolean>>;

/** MCP's defaults: what says nothing may change and destroy things, each call anew, in an open world. */
const UNSAID: Hints = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };

const known = new WeakMap<DefinitionFacts, Hints>();

/** The hints of a tool's approved definition, read once. A tool that only reads destroys nothing and may be repeated, where it does not say so. */
export function hintsOf(definition: DefinitionFacts | undefined): Hints {
  if (definition === undefined) return UNSAID;
  let hints = known.get(definition);
  if (hints === undefined) {
    hints = readHints(definition.json);
    known.set(definition, hints);
  }
  return hints;
}

function readHints(json: string): Hints {
  if (!json.includes('"annotations"')) return UNSAID;
  const said = annotationsIn(json);
  const readOnlyHint = said.readOnlyHint ?? UNSAID.readOnlyHint;
  return {
    readOnlyHint,
    destructiveHint: said.destructiveHint ?? (readOnlyHint ? false : UNSAID.destructiveHint),
    idempotentHint: said.idempotentHint ?? (readOnlyHint ? true : UNSAID.idempotentHint),
    openWorldHint: said.openWorldHint ?? UNSAID.openWorldHint,
  };
}

function annotationsIn(json: string): Partial<Hints> {
  try {
    const { annotations } = JSON.parse(json) as { annotations?: unknown };
    if (typeof annotations !== 'object' || annotations === null) return {};
    return Object.fromEntries(Object.entries(annotations).filter(([key, value]) => key in UNSAID && typeof value === 'boolean'));
  } catch {
    return {}; // what cannot be read says nothing
  }
}

/** Whether a tool's hints are those a selector wants. */
export function selectsHints(wanted: NonNullable<TargetSelector['annotations']>, hints: Hints): boolean {
  return (Object.keys(UNSAID) as AnnotationHint[]).every((hint) => wanted[hint] === undefined || wanted[hint] === hints[hint]);
}

/** Whether a selector is about a tool that says this of itself; undefined is a tool that says nothing. */
export const selectsDefinition = ({ annotations }: TargetSelector, definition: DefinitionFacts | undefined): boolean =>
  annotations === undefined || selectsHints(annotations, hintsOf(definition));
