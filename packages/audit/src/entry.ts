import { GatewayError } from '@portcullis/contracts/errors';
import type { AuditRelease } from '@portcullis/contracts/snapshot';

/** An event on its way: where it is by now, and who waits for it. */
export interface Entry {
  readonly seq: number;
  readonly frame: Buffer;
  /** Of `hashFrame`. */
  readonly hash: string;
  readonly at: number;
  spooled: boolean;
  queued: boolean;
  waiter: Waiter | undefined;
}

export interface Waiter {
  /** `intent` is content with either place; the others are `audit.release`. */
  readonly rule: 'intent' | AuditRelease;
  readonly resolve: () => void;
  readonly reject: (error: GatewayError) => void;
}

/** Lets go whoever waits for this entry, if it is by now where they want it. */
export function settle(entry: Entry): void {
  const { waiter, spooled, queued } = entry;
  if (waiter && isMet(waiter.rule, spooled, queued)) letGo(entry);
}

export function letGo(entry: Entry): void {
  const { waiter } = entry;
  entry.waiter = undefined;
  waiter?.resolve();
}

export function giveUp(entry: Entry, cause?: unknown): void {
  const { waiter } = entry;
  entry.waiter = undefined;
  waiter?.reject(new GatewayError('node.audit_unavailable', { seq: entry.seq }, { cause }));
}

function isMet(rule: Waiter['rule'], spooled: boolean, queued: boolean): boolean {
  switch (rule) {
    case 'intent':
    case 'spool':
      return spooled || queued;
    case 'queue':
      return queued;
    case 'both':
      return spooled && queued;
  }
}
