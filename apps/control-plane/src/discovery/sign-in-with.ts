import type { OnClose } from '@portcullis/boot';
import type { PrismaClient } from '@portcullis/database';
import type { Egress } from '@portcullis/egress';
import type { Complaining } from '../background/background-loop.js';
import type { DiscoveryConfig } from '../config.js';
import { openServerSignIn } from '../credentials/open-server-sign-in.js';
import type { ServerSignIn } from '../credentials/server-sign-in.js';
import { keepFresh } from '../keys/keep-fresh.js';
import { KeyRing } from '../keys/key-ring.js';
import { DiscoveryFailure } from './discovery-failure.js';
import type { DiscoveryParts } from './run-discovery.js';

/** How this process calls servers: with what they are called with, where it was given the master key. Keys are read when they are first needed. */
export function signInWith(
  { masterKey, previousMasterKey }: Pick<DiscoveryConfig, 'masterKey' | 'previousMasterKey'>,
  { database, egress, logger, onClose }: { database: PrismaClient; egress: Egress; logger: Complaining; onClose: OnClose },
): DiscoveryParts['signIn'] {
  const open = async (key: Uint8Array): Promise<ServerSignIn> => {
    const keys = await KeyRing.open(database, key, previousMasterKey);
    const fresh = keepFresh(keys, logger);
    fresh.start();
    onClose('keys', () => fresh.stop());
    return openServerSignIn(database, keys, egress);
  };
  let opened: Promise<ServerSignIn> | undefined;
  return async (serverId, fetch) => {
    const needsKey = { OR: [{ transportPin: 'stdio' }, { credentials: { some: { agentId: null } } }, { tls: { isNot: null } }] };
    if ((await database.server.count({ where: { id: serverId, ...needsKey } })) === 0) return fetch;
    if (masterKey === undefined)
      throw new DiscoveryFailure('Discovery was started without the master key, and the server is called with a credential or by a runner.');
    opened ??= open(masterKey).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return (await opened).fetchFor(serverId, fetch);
  };
}
