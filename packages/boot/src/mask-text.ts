const fieldBytesMax = 4096;
const cutMark = '…[cut]';

/** Text without what opens a door: our bearer secrets, `Authorization` values, passwords inside URLs. */
export function maskText(text: string): string {
  return text
    .replace(/\b(gw|op|node|join)_([a-z0-9]{16})_[A-Za-z0-9_-]{20,}/g, '$1_$2_[redacted]') // the id stays: it names the key and opens nothing
    .replace(/\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{8,}/gi, '$1$2[redacted]')
    .replace(/:\/\/[^/\s"'@]*:[^/\s"'@]*@/g, '://[redacted]@');
}

/** Masked text of at most 4 KiB in UTF-8. */
export function capText(text: string): string {
  // Masking comes after a first cut: a megabyte of foreign text must not be searched. It is cut wide, so that no secret is halved at the final edge.
  const masked = maskText(text.length > 2 * fieldBytesMax ? text.slice(0, 2 * fieldBytesMax) : text);
  if (masked.length === text.length && Buffer.byteLength(masked) <= fieldBytesMax) return masked;
  const bytes = Buffer.from(masked);
  if (bytes.length <= fieldBytesMax && text.length <= 2 * fieldBytesMax) return masked;
  const kept = bytes.subarray(0, fieldBytesMax - Buffer.byteLength(cutMark)).toString();
  return kept.replace(/\uFFFD+$/, '') + cutMark;
}
