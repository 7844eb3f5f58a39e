import { compileGlob, type GlobMatcher } from './glob.js';
import { normalEscapes } from './resource-uri.js';

const EXPRESSION = /\{([+#./;?&]?)[^{}]*\}/g;

/**
 * Says whether a URI in its normal form may come from a URI template (RFC 6570): every expression stands for some text, a simple one for text
 * without `/`. Linear in the URI, whatever a server puts into its template. What it lets through the server still judges; what it refuses never
 * gets there.
 */
export function compileTemplate(template: string): GlobMatcher {
  const simple = [...template.matchAll(EXPRESSION)].every(([, operator]) => operator === '');
  // Expanding a template escapes what stands between its expressions too.
  const glob = template.replaceAll(EXPRESSION, '\0').split('\0').map(normalEscapes).join('*');
  const matches = compileGlob(glob);
  if (!simple) return matches;
  const slashes = count(glob);
  return (uri) => matches(uri) && count(uri) === slashes;
}

const count = (text: string): number => text.split('/').length;
