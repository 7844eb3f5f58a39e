import { createHmac, createSecretKey, hash, randomBytes, randomInt, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Whose door a bearer secret opens; no kind opens another's. */
export type BearerKind = 'agent' | 'operator' | 'node' | 'runner' | 'join';

/** What a bearer secret says: the id to look up, the secret to compare. */
export interface BearerParts {
  id: string;
  secret: string;
}

const prefixes: Record<BearerKind, string> = { agent: 'gw_', operator: 'op_', node: 'node_', runner: 'runner_', join: 'join_' };
const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
const idChars = 16;
const secretChars = 43; // 32 bytes in base64url
const idShape = /^[a-z0-9]{16}$/;
const secretShape = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/; // the last character carries four bits

// Keyed by the array itself: handing createHmac raw bytes costs 15 µs more on every call of every agent.
const pepperKeys = new WeakMap<Uint8Array, KeyObject>();

/** A fresh bearer secret of 256 random bits. `token` is shown once to its owner; keep `id` and `hashBearer(secret)`. */
export function newBearer(kind: BearerKind): BearerParts & { token: string } {
  const id = Array.from({ length: idChars }, () => idAlphabet[randomInt(idAlphabet.length)]).join('');
  const secret = randomBytes(32).toString('base64url');
  return { token: `${prefixes[kind]}${id}_${secret}`, id, secret };
}

/** Takes a token of this kind apart; undefined for any other kind, length or character. */
export function parseBearer(kind: BearerKind, token: string): BearerParts | undefined {
  const prefix = prefixes[kind];
  const idEnd = prefix.length + idChars;
  // Fixed places, no splitting: a secret may itself contain the separator.
  if (token.length !== idEnd + 1 + secretChars || !token.startsWith(prefix) || token[idEnd] !== '_') return undefined;
  const id = token.slice(prefix.length, idEnd);
  const secret = token.slice(idEnd + 1);
  return idShape.test(id) && secretShape.test(secret) ? { id, secret } : undefined;
}

/** What is kept of a bearer secret: HMAC-SHA256 under the pepper, base64url. A slow hash would add nothing to 256 random bits. The pepper's bytes must not change later. */
export function hashBearer(pepper: Uint8Array, secret: string): string {
  return createHmac('sha256', pepperKey(pepper)).update(secret).digest('base64url');
}

/** Whether the secret is the one behind the stored hash, in a time that does not depend on where they differ. */
export function bearerMatches(pepper: Uint8Array, secret: string, storedHash: string): boolean {
  const stored = Buffer.from(storedHash, 'base64url');
  const actual = createHmac('sha256', pepperKey(pepper)).update(secret).digest();
  return stored.length === actual.length && timingSafeEqual(stored, actual);
}

/** A stored key that a secret was matched with: the hash is compared with again, whatever else there is. */
interface Matched {
  readonly pepper: Uint8Array;
  readonly storedHash: string;
  /** A quick hash of the secret, so that no secret stays in memory. */
  readonly digest: string;
}

/**
 * `bearerMatches` for the keys that come with every call: the secret that matched `owner` last is known again by a quick hash of it, at a sixth of the
 * cost. What is remembered goes with `owner`, and counts only for the same pepper and stored hash.
 */
export class BearerMemory {
  private readonly matched = new WeakMap<object, Matched>();

  matches(owner: object, pepper: Uint8Array, { secret, storedHash }: { secret: string; storedHash: string }): boolean {
    // Always made, so that a key which was used before takes no other time to refuse a wrong secret than one which was not.
    const digest = hash('sha256', secret, 'hex');
    const known = this.matched.get(owner);
    if (known !== undefined && known.digest === digest && known.pepper === pepper && known.storedHash === storedHash) return true;
    if (!bearerMatches(pepper, secret, storedHash)) return false;
    this.matched.set(owner, { pepper, storedHash, digest });
    return true;
  }
}

function pepperKey(pepper: Uint8Array): KeyObject {
  const known = pepperKeys.get(pepper);
  if (known !== undefined) return known;
  const key = createSecretKey(pepper);
  pepperKeys.set(pepper, key);
  return key;
}
