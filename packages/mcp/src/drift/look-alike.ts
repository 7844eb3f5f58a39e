/**
 * Names that a reader may take for one another have the same skeleton: case, separators, and the letters and digits that look alike in most typefaces
 * make no difference. A name in it looks like itself only.
 */
export function nameSkeleton(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[_./-]/g, '')
    .replaceAll('0', 'o')
    .replaceAll(/[1i|]/g, 'l')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('cl', 'd');
}

/** A tool that a text names: `server:tool` or `server__tool`, or by a name of several words alone. */
export interface MentionedName {
  readonly server: string | undefined;
  readonly name: string;
}

const MENTION = /\b([a-z0-9][a-z0-9-]{0,31})(?::|__)([A-Za-z0-9_./-]{1,128})|\b([A-Za-z0-9]{2,64}(?:_[A-Za-z0-9]{1,64}){1,8})\b/g;
const MENTIONS_MAX = 50;

/** What in a text may be the name of a tool. Whether there is such a tool is for its reader to find out. */
export function mentionedNames(text: string): MentionedName[] {
  const found = new Map<string, MentionedName>();
  for (const [whole, server, name, bare] of text.matchAll(MENTION)) {
    // The full stop of a sentence is no part of a name.
    const tool = (name ?? bare ?? '').replace(/[./-]+$/, '');
    if (tool !== '') found.set(whole, { server: name === undefined ? undefined : server, name: tool });
    if (found.size >= MENTIONS_MAX) break;
  }
  return [...found.values()];
}
