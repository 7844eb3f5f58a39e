import { createHash } from 'node:crypto';
import { RESERVED_SLUGS } from '@portcullis/contracts/names';

const CHARS_MAX = 32;
const MARK_CHARS = 6;

/** A slug out of whatever a source calls a server. */
export function slugFrom(title: string): string {
  const slug = shorten(
    title
      .normalize('NFKD')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-'),
    CHARS_MAX,
  );
  return slug === '' || RESERVED_SLUGS.has(slug) ? 'server' : slug;
}

/** The slug for a server whose first choice is taken: the same for the same server every time, whatever came before it. */
export function markedSlug(slug: string, source: string, key: string): string {
  const mark = BigInt(
    `0x${createHash('sha256')
      .update(JSON.stringify([source, key]))
      .digest('hex')}`,
  )
    .toString(36)
    .slice(-MARK_CHARS);
  return `${shorten(slug, CHARS_MAX - MARK_CHARS - 1)}-${mark}`;
}

const shorten = (text: string, charsMax: number): string => text.replace(/^-+/, '').slice(0, charsMax).replace(/-+$/, '');
