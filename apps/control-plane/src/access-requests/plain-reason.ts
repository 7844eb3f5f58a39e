import { REQUEST_REASON_CHARS_MAX } from '@portcullis/contracts/api/access-requests';

/** A stranger's words on one line, without characters that steer a terminal or hide from a reader. */
export function plainReason(text: string): string {
  const visible = text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]+/gu, ' ');
  return visible.replaceAll(/\s+/gu, ' ').trim().slice(0, REQUEST_REASON_CHARS_MAX).toWellFormed();
}
