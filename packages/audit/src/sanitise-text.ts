import { AUDIT_TEXT_MAX } from '@portcullis/contracts/audit';

const PLAIN = /^[\x20-\x7e]*$/;

/** Foreign text made fit for a filter column: well-formed, no NUL (Postgres refuses both), at most `AUDIT_TEXT_MAX` long. */
export function sanitiseText(text: string): string {
  const capped = text.length > AUDIT_TEXT_MAX ? text.slice(0, AUDIT_TEXT_MAX) : text;
  return PLAIN.test(capped) ? capped : capped.toWellFormed().replaceAll('\u0000', '\u2400');
}
