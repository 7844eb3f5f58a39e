import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';

export interface BatchPlace {
  readonly node: string;
  readonly boot: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** HMAC-SHA256 (base64url) over where a batch belongs and the hashes of its frames. A signature would cost fifteen times as much, at every batch. */
export function tagBatch(key: KeyObject, { node, boot, firstSeq, lastSeq }: BatchPlace, hashes: string): string {
  return createHmac('sha256', key)
    .update(`portcullis audit batch 1\n${node}\n${boot}\n${firstSeq}\n${lastSeq}\n${hashes}`, 'latin1')
    .digest('base64url');
}

export function isTagOf(key: KeyObject, place: BatchPlace, hashes: string, tag: string): boolean {
  const expected = Buffer.from(tagBatch(key, place, hashes));
  const given = Buffer.from(tag);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
