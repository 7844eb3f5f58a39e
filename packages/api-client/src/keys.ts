import { KeyGenerations, type KeyPurposeName, KeyRingReport, MasterKeyState, type RotateKey } from '@portcullis/contracts/api/keys';
import { path } from './path.js';
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
    list: async () => (await send({ method: 'GET', path: '/v1/keys', answer: KeyRingReport })).value,
    rotate: async (purpose, body = {}) =>
      (await send({ method: 'POST', path: path`/v1/keys/${purpose}/rotate`, body, answer: KeyGenerations })).value,
    reseal: async () => (await send({ method: 'POST', path: '/v1/keys/master/reseal', answer: MasterKeyState })).value,
  };
}
