import { createHash } from 'node:crypto';
import { ControlPlaneRefusal } from '@portcullis/boot';
import { nodeTokenAad } from '@portcullis/contracts/node';
import type { UpstreamToken, OauthFetch } from '@portcullis/secrets';
import type { ControlPlaneClient } from '../../control-plane/control-plane-client.js';
import type { KeyRing } from '../../control-plane/key-ring.js';
import type { Membership } from '../../control-plane/membership.js';
import { ReconnectNeeded } from './token-credential.js';
import { UpstreamCredentials } from './upstream-credentials.js';

/** This node as a member of the control plane. */
export interface ControlLink {
  readonly ring: KeyRing;
  readonly membership: Membership;
  readonly client: ControlPlaneClient;
}

/** What this node calls servers with, opened by its own keys. */
export function openCredentials(control: ControlLink, fetch: OauthFetch): UpstreamCredentials {
  const { ring, membership, client } = control;
  return new UpstreamCredentials({
    sealer: ring.credentialSealer,
    fetch,
    connectionToken: (id, refused) => connectionToken(control, id, refused),
    onUnopened: () => membership.refreshSoon(client),
    now: () => Date.now(),
  });
}

async function connectionToken({ membership, client }: ControlLink, id: string, refused: string | undefined): Promise<UpstreamToken> {
  const digest = refused === undefined ? undefined : createHash('sha256').update(refused).digest('hex');
  const given = await client.credentialToken(id, digest).catch((error: unknown) => {
    const isOver = error instanceof ControlPlaneRefusal && (error.status === 409 || error.status === 404);
    throw isOver ? new ReconnectNeeded() : error;
  });
  const accessToken = membership.open(given.sealedToken, (nodeId) => nodeTokenAad(nodeId, id)).toString('utf8');
  return { accessToken, expiresAt: given.expiresAt ?? undefined };
}
