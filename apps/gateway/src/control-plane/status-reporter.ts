import type { AuditTrail } from '@portcullis/audit';
import { ControlPlaneRefusal } from '@portcullis/boot';
import { POLICY_AGE_MS_MAX, type NodeStatus } from '@portcullis/contracts/node';
import { SNAPSHOT_SCHEMA_VERSION } from '@portcullis/contracts/snapshot';
import type { Follower } from '@portcullis/snapshot';
import type { ControlPlaneClient } from './control-plane-client.js';

const EVERY_MS = 2000;
/** Storms of changes make one report, of where they led. */
const GAP_MS = 50;

/**
 * Tells the control plane which policy this node serves, every two seconds and at every change of it, and takes up what comes back: how far
 * audit events have come, and the newest head.
 */
export class StatusReporter {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private sending = false;
  private again = false;

  constructor(
    private readonly parts: {
      readonly client: ControlPlaneClient;
      readonly follower: Follower;
      readonly audit: Pick<AuditTrail, 'boot' | 'held' | 'acknowledge' | 'links' | 'confirmLinks'>;
      readonly version: string;
      readonly url: string | null;
      readonly onRefused: () => void;
    },
  ) {}

  start(): void {
    void this.report();
  }

  /** Something worth telling has happened. */
  reportSoon(): void {
    if (this.sending) this.again = true;
    else this.schedule(GAP_MS);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.report(), ms);
  }

  private async report(): Promise<void> {
    const { client, follower, audit, onRefused } = this.parts;
    this.sending = true;
    this.again = false;
    try {
      const links = audit.links();
      const { audit: acknowledged, head } = await client.status({ ...this.status(), ...(links.length > 0 && { auditLinks: links }) });
      audit.confirmLinks(links);
      audit.acknowledge(acknowledged);
      if (head !== null) follower.offerHead(head);
    } catch (error) {
      if (error instanceof ControlPlaneRefusal && error.status === 401) onRefused();
    }
    this.sending = false;
    this.schedule(this.again ? GAP_MS : EVERY_MS);
  }

  private status(): NodeStatus {
    const { follower, audit, version, url } = this.parts;
    const { epoch, revision, refused } = follower.status();
    const ageMs = follower.ageMs();
    const head = follower.signedHead();
    return {
      boot: audit.boot,
      version,
      url,
      epoch: epoch ?? 0,
      appliedRevision: revision ?? 0,
      policyAgeMs: Number.isFinite(ageMs) ? Math.min(Math.round(ageMs), POLICY_AGE_MS_MAX) : null,
      schemaMax: SNAPSHOT_SCHEMA_VERSION,
      ...(refused?.reason === 'rollback' && head !== undefined && { head }),
      refused: refused === null ? null : { revision: refused.revision, reason: refused.reason },
      audit: audit.held(),
    };
  }
}
