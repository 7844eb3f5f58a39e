import { KeyGenerations, type KeyPurposeName, KeyRingReport, MasterKeyState, type RotateKey } from '@portcullis/contracts/api/keys';
import type { Send } from './send.js';

/** Generations of the installation's keys; no answer holds one. */
export interface KeysApi {
  list(): Promise<KeyRingReport>;
  rotate(purpose: KeyPurposeName, options?: Partial<RotateKey>): Promise<KeyGenerations>;
  /** Seals all of them anew under the master key that the control plane has now. */
  reseal(): Promise<MasterKeyState>;
}

export function keysApi(send: Send): KeysApi {
  return {
    list: async () => (await send({ route: 'GET /v1/keys', answer: KeyRingReport })).value,
    rotate: async (purpose, body = {}) =>
      (await send({ route: 'POST /v1/keys/{purpose}/rotate', at: [purpose], body, answer: KeyGenerations })).value,
    reseal: async () => (await send({ route: 'POST /v1/keys/master/reseal', answer: MasterKeyState })).value,
  };
}
