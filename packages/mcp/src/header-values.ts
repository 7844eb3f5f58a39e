const SENTINEL_START = '=?base64?';
const SENTINEL_END = '?=';
const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const toUtf8 = new TextEncoder();

function isSentinel(value: string): boolean {
  return value.startsWith(SENTINEL_START) && value.endsWith(SENTINEL_END) && value.length >= SENTINEL_START.length + SENTINEL_END.length;
}

/**
 * Encodes a value for `Mcp-Name` or `Mcp-Param-*`: printable ASCII without outer spaces passes as it is, everything else
 * (and a value that looks encoded already) becomes `=?base64?…?=` of its UTF-8. Never yields a control character.
 */
export function encodeHeaderValue(value: string): string {
  if (PLAIN.test(value) && !isSentinel(value)) return value;
  return SENTINEL_START + encodeBase64(toUtf8.encode(value)) + SENTINEL_END;
}

/** Decodes such a header value; undefined when the base64 is not canonical or not UTF-8, so each value has one spelling. */
export function decodeHeaderValue(value: string): string | undefined {
  if (!isSentinel(value)) return value;
  const payload = value.slice(SENTINEL_START.length, -SENTINEL_END.length);
  try {
    const latin1 = atob(payload);
    // atob forgives missing padding, spaces and stray trailing bits; only what it would write itself is accepted.
    if (btoa(latin1) !== payload) return undefined;
    return utf8.decode(Uint8Array.from(latin1, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function encodeBase64(bytes: Uint8Array): string {
  let latin1 = '';
  for (const byte of bytes) latin1 += String.fromCharCode(byte);
  return btoa(latin1);
}
