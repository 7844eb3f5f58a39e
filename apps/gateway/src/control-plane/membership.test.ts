import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlaneRefusal, createLogger } from '@portcullis/boot';
import { nodeKeysAad, type NodeKeys } from '@portcullis/contracts/node';
import { newNodeKeyPair, sealFor } from '@portcullis/secrets';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ControlPlaneClient } from './control-plane-client.js';
import { IdentityFile } from './identity-file.js';
import { KeyRing } from './key-ring.js';
import { Membership } from './membership.js';

const pair = newNodeKeyPair();
const keysOf = (...ids: string[]): string => {
  const keys: NodeKeys = { signing: [], peppers: [], session: ids.map((keyId) => ({ keyId, secret: Buffer.alloc(32, 9).toString('base64url') })) };
  return sealFor(pair.publicKey, JSON.stringify(keys), nodeKeysAad('node-1'));
};
let directory: string;
let membership: Membership;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-membership-'));
});
afterEach(async () => {
  await membership.stop();
  rmSync(directory, { recursive: true });
});

test('a node that was refused for a while, and has no token to enrol with again, goes on getting keys when it is known again', async () => {
  const file = new IdentityFile(directory);
  const { publicKey: sealingPublicKey, privateKey: sealingPrivateKey } = pair;
  file.write({ name: 'n', nodeId: 'node-1', nodeKey: 'k', sealingPublicKey, sealingPrivateKey, sealedKeys: keysOf('first') });
  const ring = new KeyRing();
  membership = new Membership({ name: 'n', joinToken: undefined, file, ring, logger: createLogger({ name: 'test', level: 'silent' }) });
  membership.restore();
  let refusals = 1;
  const keys = (): Promise<{ sealedKeys: string }> =>
    refusals-- > 0 ? Promise.reject(new ControlPlaneRefusal(401)) : Promise.resolve({ sealedKeys: keysOf('second', 'first') });
  const registerAuditKey = (): Promise<never> => Promise.reject(new ControlPlaneRefusal(401));
  const again = vi.fn<() => void>();
  membership.start({ keys, registerAuditKey } as unknown as ControlPlaneClient, again);
  await vi.waitFor(() => expect(ring.nodeLinkKeys().map(({ id }) => id)).toEqual(['second', 'first']), 10_000);
  expect(again).toHaveBeenCalledTimes(1);
});
