import { createSecretKey } from 'node:crypto';
import type { CaptureKey } from '@portcullis/audit';
import { NodeKeys, nodeKeysAad } from '@portcullis/contracts/node';
import { TASK_KEY_PURPOSE } from '@portcullis/contracts/task-keys';
import { createSealer, deriveKey, openWith, UnsealError, verifyBytes, type Sealer, type SealingKey } from '@portcullis/secrets';
import type { NodeLinkKey } from '../nodes/node-signature.js';
import type { Identity } from './identity-file.js';

/** The keys this node was given: to verify policy, to compare agents' secrets, to seal sessions. Empty until it has enrolled. */
export class KeyRing {
  private signing: ReadonlyMap<string, string> = new Map();
  private peppers: ReadonlyMap<string, Uint8Array> = new Map();
  private currentSealer: Sealer | undefined;
  private ofTaskKeys: Sealer | undefined;
  private ofCredentials: Sealer | undefined;
  private linkKeys: readonly NodeLinkKey[] = [];
  private captures: CaptureKey | undefined;
  private opened = '';
  /** Told when the keys are others than before. */
  onChange: () => void = () => undefined;

  get isEmpty(): boolean {
    return this.currentSealer === undefined;
  }

  /** Takes a ring that came sealed to this node. Throws an UnsealError for one that did not. */
  take(identity: Pick<Identity, 'nodeId' | 'sealingPrivateKey'>, sealedKeys: string): void {
    const opened = openWith(identity.sealingPrivateKey, sealedKeys, nodeKeysAad(identity.nodeId)).toString();
    // Sealing the same ring twice gives different bytes.
    if (opened === this.opened) return;
    const keys = NodeKeys.parse(JSON.parse(opened));
    const [current, ...previous] = keys.session.map(keyOf);
    if (current === undefined) throw new Error('The key ring has no session key');
    this.signing = new Map(keys.signing.map(({ keyId, publicKey }) => [keyId, publicKey]));
    this.peppers = new Map(keys.peppers.map(({ keyId, secret }) => [keyId, Buffer.from(secret, 'base64url')]));
    this.currentSealer = createSealer({ current, previous });
    this.ofTaskKeys = createSealer({ current: forTaskKeys(current), previous: previous.map(forTaskKeys) });
    const [credentialKey, ...olderKeys] = (keys.credentials ?? []).map(keyOf);
    this.ofCredentials = credentialKey && createSealer({ current: credentialKey, previous: olderKeys });
    this.linkKeys = [current, ...previous].map(({ id, key }) => ({ id, key: deriveKey(key, 'node to node 1') }));
    const [pepper] = keys.peppers;
    this.captures = pepper && { id: pepper.keyId, key: createSecretKey(deriveKey(Buffer.from(pepper.secret, 'base64url'), 'captured content 1')) };
    this.opened = opened;
    this.onChange();
  }

  /** See `VerifyBody` of `@portcullis/snapshot`. */
  readonly verify = (keyId: string, body: Uint8Array, signature: string): boolean | undefined => {
    const publicKey = this.signing.get(keyId);
    return publicKey === undefined ? undefined : verifyBytes(publicKey, body, signature);
  };

  readonly pepperOf = (pepperId: string): Uint8Array | undefined => this.peppers.get(pepperId);

  /**
   * Keyed digests of what calls said. From the newest pepper: all nodes have it, and it stays longer than the keys of sessions, so that equal arguments are
   * known as equal for as long as may be.
   */
  readonly captureKey = (): CaptureKey => {
    if (this.captures === undefined) throw new Error('This node has no keys yet');
    return this.captures;
  };

  /** What nodes sign their requests to one another with, the current key first. */
  readonly nodeLinkKeys = (): readonly NodeLinkKey[] => this.linkKeys;

  /** What agents' keys for tasks are sealed with, here and by the control plane. */
  readonly taskKeySealer = (): Sealer => {
    if (this.ofTaskKeys === undefined) throw new Error('This node has no keys yet');
    return this.ofTaskKeys;
  };

  /** Opens what servers are called with. Throws an UnsealError where this node was given no key for it. */
  readonly credentialSealer = (): Sealer => {
    if (this.ofCredentials === undefined) throw new UnsealError();
    return this.ofCredentials;
  };

  /** Only asked for on behalf of an authenticated agent, whom an empty ring cannot have let in. */
  readonly sealer = (): Sealer => {
    if (this.currentSealer === undefined) throw new Error('This node has no keys yet');
    return this.currentSealer;
  };
}

const keyOf = ({ keyId, secret }: NodeKeys['session'][number]): SealingKey => ({ id: keyId, key: Buffer.from(secret, 'base64url') });
const forTaskKeys = ({ id, key }: SealingKey): SealingKey => ({ id, key: deriveKey(key, TASK_KEY_PURPOSE) });
