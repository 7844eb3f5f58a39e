import type { SecretEnvironment } from '@portcullis/contracts/runner/heartbeat';
import type { StoredSecret } from '../credentials/stored-credential.js';

/** Those variables of a credential that a profile wants, and no others; undefined where one is missing. */
export function environmentOf(secret: StoredSecret, wanted: readonly string[]): SecretEnvironment | undefined {
  if (secret.kind !== 'environment') return undefined;
  const all = new Map(secret.variables);
  const found = wanted.flatMap((name) => (all.has(name) ? [[name, all.get(name) ?? ''] as const] : []));
  return found.length === wanted.length ? Object.fromEntries(found) : undefined;
}
