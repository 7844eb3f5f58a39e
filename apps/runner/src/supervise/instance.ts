import type { JsonObject } from '@portcullis/mcp';
import { Connection, type Unasked } from '../bridge/connection.js';
import type { Reply } from '../bridge/reply.js';
import type { Child } from '../spawn/child.js';

/** A child that runs and was spoken to. */
export class Instance {
  readonly connection: Connection;
  /** What it answered to `initialize`; empty in the era that has none. */
  handshake: JsonObject = {};
  /** Who keeps it from being ended as idle, beyond requests in flight. */
  readonly holders = new Set<unknown>();
  private usedAt: number;

  constructor(
    readonly child: Child,
    unaskedOf: (instance: Instance) => Unasked,
    now: number,
  ) {
    this.connection = new Connection(child, unaskedOf(this));
    this.usedAt = now;
  }

  get isBusy(): boolean {
    return this.connection.size > 0 || this.holders.size > 0;
  }

  /** Tells a reader what it said on its own. A child that says more than is read waits for its reader. */
  passOn(reply: Reply, text: string): void {
    if (reply.notify(text)) return;
    this.child.pause(reply);
    reply.onceDrained(() => this.child.resume(reply));
  }

  used(now: number): void {
    this.usedAt = now;
  }

  idleMs(now: number): number {
    if (this.isBusy) this.usedAt = now;
    return now - this.usedAt;
  }
}
