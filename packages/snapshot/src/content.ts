import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Digest } from '@portcullis/contracts/snapshot';
import { CHUNK_BYTES_MAX } from './limits.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** Bytes and the digest they are stored under. */
export interface Encoded {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Lower-case hex SHA-256. */
export const digestOf = (bytes: Uint8Array): Digest => createHash('sha256').update(bytes).digest('hex');

/** RFC 8785 canonical JSON as UTF-8, with its digest: equal content gives equal bytes. Refuses more than 5 MiB. */
export function encodeContent(content: object): Encoded {
  const text = canonicalize(content);
  if (text === undefined) throw new SnapshotRefusal('chunk_malformed', 'content without a JSON form');
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > CHUNK_BYTES_MAX) throw new SnapshotRefusal('chunk_too_large', `${bytes.length} bytes`);
  return { digest: digestOf(bytes), bytes };
}
