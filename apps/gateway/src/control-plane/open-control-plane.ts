import type { Logger } from '@portcullis/boot';
import type { Config } from '../config.js';
import { ControlPlaneClient } from './control-plane-client.js';
import { IdentityFile } from './identity-file.js';
import { KeyRing } from './key-ring.js';
import { Membership } from './membership.js';

/** What a node is to the control plane: a member of it with keys, and the way to ask it. */
export interface ControlPlane {
  readonly ring: KeyRing;
  readonly membership: Membership;
  readonly client: ControlPlaneClient;
}

/** The control plane as this node last knew it; what is missing comes once `membership` has been started. */
export function openControlPlane(config: Config, logger: Logger): ControlPlane {
  const ring = new KeyRing();
  const file = new IdentityFile(config.dataDir);
  const membership = new Membership({ name: config.nodeName, joinToken: config.joinToken, file, ring, logger });
  membership.restore();
  return { ring, membership, client: new ControlPlaneClient(config.controlPlaneUrl, () => membership.nodeKey) };
}
