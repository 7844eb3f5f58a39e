import { compileGlob, type GlobMatcher } from '@portcullis/policy';

const EXPRESSION = /\{([+#./;?&]?)[^{}]*\}/g;

/**
 * Says whether a URI may come from a URI template (RFC 6570): every expression stands for some text, a simple one for text without `/`. Linear in
 * the URI, whatever a server puts into its template. What it lets through the server still judges; what it refuses never gets there.
 */
export function compileTemplate(template: string): GlobMatcher {
  let simple = true;
  const glob = template.replaceAll(EXPRESSION, (_expression, operator: string) => {
    if (operator !== '') simple = false;
    return '*';
  });
  const matches = compileGlob(glob);
  if (!simple) return matches;
  const slashes = count(glob);
  return (uri) => matches(uri) && count(uri) === slashes;
}

const count = (text: string): number => text.split('/').length;
