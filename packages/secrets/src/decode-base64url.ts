/** Bytes of a base64url text, or undefined unless it is exactly what encoding those bytes gives: no padding, no spare bits, no foreign character. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Node skips what it does not understand, so two texts could mean the same bytes; a sealed value must have one spelling.
  return bytes.toString('base64url') === text ? bytes : undefined;
}
