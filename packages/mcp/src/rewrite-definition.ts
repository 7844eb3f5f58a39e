import { elementsAt, memberAt, membersAt, skipSpace } from './json-scan.js';

/**
 * Gives a definition another `name` (or another text member) in its own bytes: nothing else of it is re-encoded. `json` must be
 * a valid JSON object; every duplicate of the member is replaced, so no parser reads the old one. Throws when it has none.
 */
export function rewriteListEntry(json: string, newName: string, member = 'name'): string {
  let rewritten = '';
  let at = 0;
  for (const { key, value } of membersAt(json, 0)) {
    if (key !== member) continue;
    rewritten += json.slice(at, value.start) + JSON.stringify(newName);
    at = value.end;
  }
  if (at === 0) throw new Error(`The definition has no member ${member}`);
  return rewritten + json.slice(at);
}

/** Takes a member out of a valid JSON object's text, with its duplicates; the rest keeps its bytes. */
export function removeMember(json: string, member: string): string {
  if (memberAt(json, 0, member) === undefined) return json;
  const kept = membersAt(json, 0)
    .filter(({ key }) => key !== member)
    .map(({ keyStart, value }) => json.slice(keyStart, value.end));
  return `${json.slice(0, skipSpace(json, 0))}{${kept.join(',')}}`;
}

/**
 * Takes arguments out of what a tool's definition shows of its input: the top-level properties of `inputSchema` and their places in `required`. The
 * rest keeps its bytes.
 */
export function hideArguments(json: string, names: readonly string[]): string {
  return editMember(json, 'inputSchema', (schema) => {
    const shown = editMember(schema, 'properties', (properties) => names.reduce(removeMember, properties));
    return editMember(shown, 'required', (required) => withoutTexts(required, names));
  });
}

function editMember(json: string, member: string, edit: (text: string) => string): string {
  let edited = '';
  let at = 0;
  for (const { key, value } of membersAt(json, 0)) {
    if (key !== member) continue;
    edited += json.slice(at, value.start) + edit(json.slice(value.start, value.end));
    at = value.end;
  }
  return edited + json.slice(at);
}

function withoutTexts(list: string, texts: readonly string[]): string {
  const elements = elementsAt(list, 0).map(({ start, end }) => list.slice(start, end));
  const kept = elements.filter((element) => !texts.includes(JSON.parse(element) as string));
  return kept.length === elements.length ? list : `[${kept.join(',')}]`;
}
