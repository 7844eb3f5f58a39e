import { createCipheriv, createDecipheriv, createHmac, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ephemeralKeyObject, publicKeyObject, rawPublicKey } from './key-objects.js';

/** An AEAD of RFC 9180 §7.3. */
export interface Aead {
  id: 1 | 2;
  cipher: 'aes-128-gcm' | 'aes-256-gcm';
  keyBytes: 16 | 32;
}

export const aes128gcm: Aead = { id: 1, cipher: 'aes-128-gcm', keyBytes: 16 };
export const aes256gcm: Aead = { id: 2, cipher: 'aes-256-gcm', keyBytes: 32 };

/** Who a message is for and what it is bound to. */
export interface HpkeContext {
  aead: Aead;
  info: Uint8Array;
  aad: Uint8Array;
}

const kemId = 0x0020; // DHKEM(X25519, HKDF-SHA256)
const kdfId = 0x0001; // HKDF-SHA256
const encBytes = 32;
const tagBytes = 16;
const empty = Buffer.alloc(0);

/** RFC 9180 single-shot seal, base mode: encapsulated key (32 bytes), ciphertext, tag. `recipient` is a raw X25519 key in base64url. */
export function hpkeSeal(recipient: string, plaintext: Uint8Array, context: HpkeContext): Buffer {
  const ephemeral = generateKeyPairSync('x25519');
  const enc = Buffer.from(rawPublicKey(ephemeral.publicKey), 'base64url');
  const to = publicKeyObject('X25519', recipient);
  const shared = sharedSecret(diffieHellman({ privateKey: ephemeral.privateKey, publicKey: to }), enc, Buffer.from(recipient, 'base64url'));
  const { key, nonce } = keySchedule(shared, context);
  const cipher = createCipheriv(context.aead.cipher, key, nonce);
  cipher.setAAD(context.aad);
  return Buffer.concat([enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** RFC 9180 single-shot open, base mode. Throws, with whatever `node:crypto` says, when the message is not for this key or was changed. */
export function hpkeOpen(recipient: KeyObject, message: Uint8Array, context: HpkeContext): Buffer {
  if (message.length < encBytes + tagBytes) throw new RangeError('too short');
  const enc = Buffer.from(message.subarray(0, encBytes));
  const from = ephemeralKeyObject('X25519', enc.toString('base64url'));
  const shared = sharedSecret(diffieHellman({ privateKey: recipient, publicKey: from }), enc, Buffer.from(rawPublicKey(recipient), 'base64url'));
  const { key, nonce } = keySchedule(shared, context);
  const decipher = createDecipheriv(context.aead.cipher, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(context.aad);
  decipher.setAuthTag(message.subarray(-tagBytes));
  return Buffer.concat([decipher.update(message.subarray(encBytes, -tagBytes)), decipher.final()]);
}

function sharedSecret(dh: Buffer, enc: Buffer, recipient: Buffer): Buffer {
  const suite = Buffer.concat([Buffer.from('KEM'), twoBytes(kemId)]);
  const prk = labeledExtract(suite, { salt: empty, label: 'eae_prk', keyMaterial: dh });
  return labeledExpand(suite, { prk, label: 'shared_secret', info: Buffer.concat([enc, recipient]), length: 32 });
}

function keySchedule(shared: Buffer, { aead, info }: HpkeContext): { key: Buffer; nonce: Buffer } {
  const suite = Buffer.concat([Buffer.from('HPKE'), twoBytes(kemId), twoBytes(kdfId), twoBytes(aead.id)]);
  const context = Buffer.concat([
    Buffer.from([0]), // base mode: no pre-shared key, the sender is not authenticated
    labeledExtract(suite, { salt: empty, label: 'psk_id_hash', keyMaterial: empty }),
    labeledExtract(suite, { salt: empty, label: 'info_hash', keyMaterial: info }),
  ]);
  const prk = labeledExtract(suite, { salt: shared, label: 'secret', keyMaterial: empty });
  return {
    key: labeledExpand(suite, { prk, label: 'key', info: context, length: aead.keyBytes }),
    nonce: labeledExpand(suite, { prk, label: 'base_nonce', info: context, length: 12 }),
  };
}

function labeledExtract(suite: Buffer, { salt, label, keyMaterial }: { salt: Uint8Array; label: string; keyMaterial: Uint8Array }): Buffer {
  return createHmac('sha256', salt).update('HPKE-v1').update(suite).update(label).update(keyMaterial).digest();
}

/** One block of HKDF-Expand: nothing here is longer than a SHA-256 digest. */
function labeledExpand(suite: Buffer, { prk, label, info, length }: { prk: Buffer; label: string; info: Buffer; length: number }): Buffer {
  const hmac = createHmac('sha256', prk).update(twoBytes(length)).update('HPKE-v1').update(suite).update(label).update(info);
  return hmac
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length);
}

function twoBytes(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
