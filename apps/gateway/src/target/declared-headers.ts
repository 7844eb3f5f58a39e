import type { DefinitionEntry } from '@portcullis/contracts/snapshot';
import { isJsonObject, ownMember, parseJson, scanHeaderParams, type HeaderDeclaration } from '@portcullis/mcp';

const declared = new WeakMap<DefinitionEntry, readonly HeaderDeclaration[]>();

/** The headers a tool wants its arguments mirrored in, read once from its definition. */
export function declaredHeaders(definition: DefinitionEntry): readonly HeaderDeclaration[] {
  const known = declared.get(definition);
  if (known !== undefined) return known;
  const value: unknown = definition.kind === 'tool' ? parseJson(definition.json) : undefined;
  const scan = isJsonObject(value) ? scanHeaderParams(ownMember(value, 'inputSchema')) : undefined;
  const declarations = scan?.ok === true ? scan.declarations : [];
  declared.set(definition, declarations);
  return declarations;
}
