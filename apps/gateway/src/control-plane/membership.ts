import { setTimeout as pause } from 'node:timers/promises';
import { ControlPlaneRefusal, type Logger } from '@portcullis/boot';
import type { AuditSigner } from '@portcullis/audit';
import { newNodeKeyPair, openWith, UnsealError } from '@portcullis/secrets';
import { newAuditKey, signerOf } from './audit-key.js';
import type { ControlPlaneClient } from './control-plane-client.js';
import type { Identity, IdentityFile } from './identity-file.js';
import type { KeyRing } from './key-ring.js';

const KEYS_EVERY_MS = 60_000;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5000;
/** An unknown key is asked for at once, but a forged head must not make us ask all the time. */
const URGENT_GAP_MS = 5000;

/** Keeps this node a member: enrols it once, keeps its keys new, enrols it again where the control plane has forgotten it. */
export class Membership {
  private identity: Identity | undefined;
  private signer: AuditSigner | undefined;
  private signerDueAt = 0;
  private refreshedAt = -Infinity;
  private refused = false;
  private complained = false;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: {
      readonly name: string;
      readonly joinToken: string | undefined;
      readonly file: IdentityFile;
      readonly ring: KeyRing;
      readonly logger: Logger;
    },
  ) {}

  /** Undefined until the node has registered a key of its own for what it records. */
  get auditSigner(): AuditSigner | undefined {
    return this.signer;
  }

  get nodeKey(): string | undefined {
    return this.identity?.nodeKey;
  }

  /** Takes up what an earlier run has kept; policy on disk can be verified from here on. */
  restore(): void {
    const { name, file, ring, logger } = this.parts;
    try {
      const identity = file.read(name);
      if (identity === undefined) return;
      ring.take(identity, identity.sealedKeys);
      this.take(identity);
    } catch (error) {
      logger.error({ err: error }, 'The identity of this node cannot be read; it will enrol again');
    }
  }

  /** Opens what was sealed to this node alone. Throws an UnsealError for anything else. */
  open(sealed: string, aadOf: (nodeId: string) => string): Buffer {
    if (this.identity === undefined) throw new UnsealError();
    return openWith(this.identity.sealingPrivateKey, sealed, aadOf(this.identity.nodeId));
  }

  /** Starts keeping it up; `onEnrolled` is told each time the control plane has taken the node. */
  start(client: ControlPlaneClient, onEnrolled: () => void): void {
    this.running = this.run(client, onEnrolled);
  }

  /** Somebody signed with a key we do not have: perhaps it is new. */
  refreshSoon(client: ControlPlaneClient): void {
    if (performance.now() - this.refreshedAt < URGENT_GAP_MS) return;
    void this.refresh(client);
  }

  /** The control plane did not take our key. */
  noteRefused(): void {
    this.refused = true;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(client: ControlPlaneClient, onEnrolled: () => void): Promise<void> {
    let waitMs = RETRY_MS_MIN;
    while (!this.stopping.signal.aborted) {
      if (this.identity === undefined || this.refused) {
        const enrolled = (await this.enrol(client)) || (await this.isKnownAgain(client));
        if (enrolled) onEnrolled();
        waitMs = enrolled ? RETRY_MS_MIN : Math.min(waitMs * 2, RETRY_MS_MAX);
      } else {
        if (this.signer === undefined && performance.now() >= this.signerDueAt) await this.registerAuditKey(client);
        if (performance.now() - this.refreshedAt >= KEYS_EVERY_MS) await this.refresh(client);
        waitMs = Math.min(1000, RETRY_MS_MAX);
      }
      await pause(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async enrol(client: ControlPlaneClient): Promise<boolean> {
    const { name, joinToken, file, ring, logger } = this.parts;
    if (joinToken === undefined) {
      const state = this.identity === undefined ? 'This node has no identity' : 'The control plane does not know this node';
      if (!this.complained) logger.error(`${state}, and it was given no JOIN_TOKEN`);
      this.complained = true;
      return false;
    }
    const pair = newNodeKeyPair();
    try {
      const { nodeId, nodeKey, sealedKeys } = await client.enrol(joinToken, { name, sealingPublicKey: pair.publicKey });
      const enrolled = { name, nodeId, nodeKey, sealedKeys, sealingPublicKey: pair.publicKey, sealingPrivateKey: pair.privateKey };
      // Before the ring opens the door to agents: nothing is to leave without its tag.
      const audit = await newAuditKey(client, nodeKey).catch(() => undefined);
      const identity = { ...enrolled, ...(audit !== undefined && { audit }) };
      ring.take(identity, sealedKeys);
      file.write(identity);
      this.take(identity);
      this.refused = false;
      this.complained = false;
      this.refreshedAt = performance.now();
      logger.info({ nodeId }, 'Node enrolled');
      return true;
    } catch (error) {
      // Said once: a control plane that comes late must not fill the log.
      logger[this.complained ? 'debug' : 'warn']({ err: error }, 'The node could not enrol; it goes on trying');
      this.complained = true;
      return false;
    }
  }

  private take(identity: Identity): void {
    this.identity = identity;
    this.signer = signerOf(identity);
  }

  /** For a node that enrolled before nodes had such keys, or could not register one then. */
  private async registerAuditKey(client: ControlPlaneClient): Promise<void> {
    const { file, logger } = this.parts;
    if (this.identity === undefined) return;
    this.signerDueAt = performance.now() + KEYS_EVERY_MS;
    try {
      const identity = { ...this.identity, audit: await newAuditKey(client, this.identity.nodeKey) };
      file.write(identity);
      this.take(identity);
    } catch (error) {
      logger.warn({ err: error }, 'The key that signs the audit trail could not be registered');
    }
  }

  /** A node that cannot enrol again waits to be known again, as after the restore of a database. */
  private async isKnownAgain(client: ControlPlaneClient): Promise<boolean> {
    if (this.parts.joinToken !== undefined || !(await this.refresh(client))) return false;
    this.refused = false;
    this.complained = false;
    return true;
  }

  /** False where it did not come to new keys. */
  private async refresh(client: ControlPlaneClient): Promise<boolean> {
    const { file, ring, logger } = this.parts;
    if (this.identity === undefined) return false;
    this.refreshedAt = performance.now();
    try {
      const { sealedKeys } = await client.keys();
      ring.take(this.identity, sealedKeys);
      this.identity = { ...this.identity, sealedKeys };
      file.write(this.identity);
      return true;
    } catch (error) {
      if (error instanceof ControlPlaneRefusal && error.status === 401) this.noteRefused();
      logger.debug({ err: error }, 'The keys could not be refreshed');
      return false;
    }
  }
}
