import { bearerMatches, parseBearer, type BearerKind } from '@portcullis/secrets';
import type { KeyRing } from '../keys/key-ring.js';
import { ProblemError } from './problem.js';

/** What is kept of a key that somebody holds. */
export interface HeldKey {
  readonly keyHash: string;
  readonly pepperId: string;
}

/** Whoever holds this key of this kind. Refuses (401) what is no such key, or nobody's. */
export async function requireHolder<Holder extends HeldKey>(
  kind: BearerKind,
  token: string,
  keys: Pick<KeyRing, 'pepper'>,
  find: (keyId: string) => Promise<Holder | null>,
): Promise<Holder> {
  const parts = parseBearer(kind, token);
  const holder = parts === undefined ? null : await find(parts.id);
  const pepper = holder === null ? undefined : keys.pepper(holder.pepperId);
  if (parts === undefined || holder === null || pepper === undefined || !bearerMatches(pepper, parts.secret, holder.keyHash)) {
    throw new ProblemError('unauthenticated');
  }
  return holder;
}
