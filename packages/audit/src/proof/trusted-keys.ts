import type { AuditSigningKey } from '@portcullis/contracts/api/audit-proof';

/** Whether the signature is this public key's over these bytes; false for anything malformed. */
export type VerifySignature = (publicKey: string, bytes: Uint8Array, signature: string) => boolean;

/** The public keys of the control planes that somebody vouches for. */
export class TrustedKeys {
  private readonly keys: ReadonlyMap<string, string>;

  constructor(
    keys: readonly AuditSigningKey[],
    readonly verify: VerifySignature,
  ) {
    this.keys = new Map(keys.map(({ keyId, publicKey }) => [keyId, publicKey]));
  }

  has(keyId: string): boolean {
    return this.keys.has(keyId);
  }

  isSigned(keyId: string, bytes: Uint8Array, signature: string): boolean {
    const publicKey = this.keys.get(keyId);
    return publicKey !== undefined && this.verify(publicKey, bytes, signature);
  }
}
