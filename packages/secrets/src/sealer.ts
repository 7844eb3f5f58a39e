import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { decodeBase64url } from './decode-base64url.js';
import { UnsealError } from './unseal-error.js';

/** A symmetric key of a key ring: 32 bytes, and the id that sealed values carry. */
export interface SealingKey {
  id: string;
  key: Uint8Array;
}

/** Seals with one key, opens with it or one before. `aad` names the place a value belongs to (`table|id|version`): moved elsewhere it does not open. */
export interface Sealer {
  seal(plaintext: string | Uint8Array, aad: string): string;
  open(sealed: string, aad: string): Buffer;
  /** Whether the value was sealed by the current key: false says it is due for sealing again. */
  isCurrent(sealed: string): boolean;
}

interface ReadyKey {
  head: string;
  key: KeyObject;
}

const nonceBytes = 12;
const tagBytes = 16;
const keyIdShape = /^[A-Za-z0-9_-]{1,64}$/;

/** A fresh sealing key with a random id. */
export function newSealingKey(): SealingKey {
  return { id: randomBytes(8).toString('hex'), key: randomBytes(32) };
}

/** A 32-byte key for one purpose, from the master key (HKDF-SHA256): purposes never share a key. */
export function deriveKey(masterKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `portcullis ${purpose}`, 32));
}

/** A key under the name that its bytes give it. */
export const keyNamed = (key: Uint8Array): SealingKey => ({ id: fingerprint(key), key });

/** AES-256-GCM under a 32-byte key, as `v1.<key id>.<base64url>`; the id is a fingerprint of the key. */
export function seal(key32: Uint8Array, plaintext: string | Uint8Array, aad: string): string {
  return sealWith(ready(keyNamed(key32)), plaintext, aad);
}

/** The plaintext of `seal` under the same key and `aad`; throws UnsealError for anything else. */
export function open(key32: Uint8Array, sealed: string, aad: string): Buffer {
  const key = ready(keyNamed(key32));
  if (!sealed.startsWith(key.head)) throw new UnsealError();
  return openWithKey(key, sealed, aad);
}

/** A sealer over generations of keys. Throws a TypeError when a key is not 32 bytes, or an id is unfit or used twice. */
export function createSealer(ring: { current: SealingKey; previous?: SealingKey | readonly SealingKey[] | undefined }): Sealer {
  const current = ready(ring.current);
  const previous = ring.previous === undefined ? [] : 'key' in ring.previous ? [ring.previous] : ring.previous;
  const keys = [current, ...previous.map(ready)];
  if (new Set(keys.map(({ head }) => head)).size < keys.length) throw new TypeError('Two generations of a sealing key have the same id');
  return {
    seal: (plaintext, aad) => sealWith(current, plaintext, aad),
    open: (sealed, aad) => {
      const key = keys.find(({ head }) => sealed.startsWith(head));
      if (key === undefined) throw new UnsealError();
      return openWithKey(key, sealed, aad);
    },
    isCurrent: (sealed) => sealed.startsWith(current.head),
  };
}

/** The text of a sealed value that anybody may have made up; undefined for one that does not open at this place. */
export function openText(sealer: Pick<Sealer, 'open'>, sealed: string, aad: string): string | undefined {
  try {
    return sealer.open(sealed, aad).toString();
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
}

function ready({ id, key }: SealingKey): ReadyKey {
  if (key.byteLength !== 32) throw new TypeError('A sealing key has 32 bytes');
  if (!keyIdShape.test(id)) throw new TypeError('A sealing key id has 1 to 64 characters of A-Z a-z 0-9 _ -');
  return { head: `v1.${id}.`, key: createSecretKey(key) };
}

function fingerprint(key: Uint8Array): string {
  return createHash('sha256').update('portcullis key id').update(key).digest('hex').slice(0, 16);
}

function sealWith({ head, key }: ReadyKey, plaintext: string | Uint8Array, aad: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(head + aad)); // the head too, so that version and key id cannot be exchanged
  const body = cipher.update(typeof plaintext === 'string' ? Buffer.from(plaintext) : plaintext);
  cipher.final();
  return head + Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
}

function openWithKey({ head, key }: ReadyKey, sealed: string, aad: string): Buffer {
  const bytes = decodeBase64url(sealed.slice(head.length));
  if (bytes === undefined || bytes.length < nonceBytes + tagBytes) throw new UnsealError();
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(head + aad));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const plaintext = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
  try {
    decipher.final();
  } catch {
    throw new UnsealError();
  }
  return plaintext;
}
