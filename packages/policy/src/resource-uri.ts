/** RFC 3986 §2: what may stand in a URI as itself. */
const ESCAPED_OR_FOREIGN = /%([0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]/gu;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** RFC 3986, appendix B. */
const PARTS = /^([^:/?#]+:)?(\/\/[^/?#]*)?([^?#]*)(.*)$/s;
/** Schemes whose hosts are names of machines. Of others the first part may be anything, where case counts. */
const HOSTED = /^(?:https?|wss?|ftp|file):$/;

/**
 * A URI in its normal form (RFC 3986 §6.2.2): scheme, and host where it is one, in lower case, escapes in upper case and only where they must be, no
 * dot segments. What must not stand in a URI is escaped.
 */
export function canonicalUri(uri: string): string {
  const [scheme, authority, path, rest] = partsOf(uri);
  const lower = scheme.toLowerCase();
  const host = HOSTED.test(lower) ? authority.toLowerCase() : authority;
  return lower + normalEscapes(host) + withoutDots(normalEscapes(path)) + normalEscapes(rest);
}

export const isCanonicalUri = (uri: string): boolean => canonicalUri(uri) === uri;

/**
 * What a URI is compared by with those that were denied: every escape read, for that is what most servers do before they look for the thing. Two
 * URIs that differ may have the same.
 */
export function deniedForm(uri: string): string {
  const [scheme, authority, path, rest] = partsOf(canonicalUri(uri));
  return scheme + readEscapes(authority) + withoutDots(readEscapes(path)) + readEscapes(rest);
}

function partsOf(uri: string): readonly [scheme: string, authority: string, path: string, rest: string] {
  const [, scheme = '', authority = '', path = '', rest = ''] = PARTS.exec(uri) ?? [];
  return [scheme, authority, path, rest];
}

/** Escapes in upper case, and only where they must be. */
export function normalEscapes(text: string): string {
  return text.replaceAll(ESCAPED_OR_FOREIGN, (found, hex: string | undefined) => {
    if (hex === undefined) return encodeURIComponent(found.toWellFormed());
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(char) ? char : found.toUpperCase();
  });
}

/** ASCII first: a byte that is no text must not hide a slash beside it. */
function readEscapes(text: string): string {
  const ascii = text.replaceAll(/%([0-7][0-9A-F])/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return ascii.replaceAll(/(?:%[89A-F][0-9A-F])+/g, (bytes) => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
}

function withoutDots(path: string): string {
  if (!path.includes('.')) return path;
  const segments = path.split('/');
  const kept: string[] = [];
  const keptMin = path.startsWith('/') ? 1 : 0;
  segments.forEach((segment, at) => {
    if (segment !== '.' && segment !== '..') {
      kept.push(segment);
      return;
    }
    if (segment === '..' && kept.length > keptMin) kept.pop();
    if (at === segments.length - 1) kept.push('');
  });
  return kept.join('/');
}
