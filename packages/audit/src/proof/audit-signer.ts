import type { KeyObject } from 'node:crypto';

/** What a node signs with: its own key for the links of its chain, and the secret it shares with the control plane for the tags of batches. */
export interface AuditSigner {
  readonly keyId: string;
  readonly batchKey: KeyObject;
  /** Ed25519, as base64url. */
  readonly sign: (bytes: Uint8Array) => string;
}
