import { createHash, randomBytes } from 'node:crypto';
import { runnerTokenPlace } from '@portcullis/contracts/credentials';
import type { Runner } from '@portcullis/database';
import type { KeyRing } from '../keys/key-ring.js';

type Sealed = Pick<Runner, 'id' | 'accessVersion' | 'accessToken'>;

/** A fresh token with which nodes come to a runner, as its row keeps it. */
export function newRunnerToken(keys: KeyRing, runnerId: string): Pick<Runner, 'accessVersion' | 'accessToken' | 'accessTokenForNodes'> {
  const token = randomBytes(32).toString('base64url');
  const of = { runnerId, version: 1 };
  return {
    accessVersion: of.version,
    accessToken: keys.sealer().seal(token, runnerTokenPlace(of, 'control-plane')),
    accessTokenForNodes: keys.credentialSealer().seal(token, runnerTokenPlace(of, 'nodes')),
  };
}

/** Throws an UnsealError for what was sealed elsewhere, or under a key that is gone. */
export const openRunnerToken = (keys: KeyRing, { id, accessVersion, accessToken }: Sealed): string =>
  keys
    .sealer()
    .open(accessToken, runnerTokenPlace({ runnerId: id, version: accessVersion }, 'control-plane'))
    .toString('utf8');

/** What a runner is told, so that it knows the token again. */
export const runnerTokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');
