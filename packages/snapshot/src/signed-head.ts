import { SignedHead, SnapshotHead } from '@portcullis/contracts/snapshot';
import canonicalize from 'canonicalize';
import { HEAD_BYTES_MAX } from './limits.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** Signs bytes with the key the head names; gives the Ed25519 signature as base64url. */
export type SignBody = (body: Uint8Array) => string;

/** Whether `signature` (base64url) covers `body` under the key; undefined when there is no such key. */
export type VerifyBody = (keyId: string, body: Uint8Array, signature: string) => boolean | undefined;

/** A head whose signature was verified, with the form it travelled in. */
export interface OpenedHead {
  readonly head: SnapshotHead;
  readonly signed: SignedHead;
}

export function signHead(head: SnapshotHead, sign: SignBody): SignedHead {
  const body = canonicalize(SnapshotHead.parse(head));
  if (body === undefined) throw new SnapshotRefusal('head_malformed');
  return { body, signature: sign(new TextEncoder().encode(body)) };
}

/**
 * Verifies and reads a head. Before the signature holds over the exact bytes of the body, nothing but the key's name is read from them.
 * Throws a SnapshotRefusal: `head_malformed`, `key_unknown` or `signature_invalid`.
 */
export function openHead(signed: SignedHead, verify: VerifyBody): SnapshotHead {
  if (signed.body.length + signed.signature.length > HEAD_BYTES_MAX) throw new SnapshotRefusal('head_malformed', 'too large');
  const content = parseJson(signed.body);
  const keyId = typeof content === 'object' && content !== null && 'keyId' in content ? content.keyId : undefined;
  if (typeof keyId !== 'string') throw new SnapshotRefusal('head_malformed', 'no key named');
  const verified = verify(keyId, new TextEncoder().encode(signed.body), signed.signature);
  if (verified === undefined) throw new SnapshotRefusal('key_unknown');
  if (!verified) throw new SnapshotRefusal('signature_invalid');
  const head = SnapshotHead.safeParse(content);
  if (!head.success) throw new SnapshotRefusal('head_malformed', 'wrong shape', { cause: head.error });
  return head.data;
}

/** Reads the JSON text of a signed head, as Redis and files hold it. Throws a SnapshotRefusal `head_malformed`. */
export function parseSignedHead(text: string): SignedHead {
  if (text.length > HEAD_BYTES_MAX) throw new SnapshotRefusal('head_malformed', 'too large');
  const signed = SignedHead.safeParse(parseJson(text));
  if (!signed.success) throw new SnapshotRefusal('head_malformed', 'wrong shape', { cause: signed.error });
  return signed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SnapshotRefusal('head_malformed', 'not JSON', { cause: error });
  }
}
