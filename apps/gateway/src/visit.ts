import type { PolicySnapshot } from '@portcullis/snapshot';
import type { Caller } from './caller/authenticate.js';
import type { RequestHead } from './edge/request-head.js';
import type { Gateway } from './gateway.js';

/** One authenticated HTTP request: who calls which endpoint, by which snapshot. Everything in it is decided by that one revision. */
export interface Visit {
  readonly gateway: Gateway;
  readonly live: PolicySnapshot;
  readonly caller: Caller;
  readonly head: RequestHead;
  /** The server of a per-server endpoint, registered or not; null for all. */
  readonly slug: string | null;
  /** When its first byte came, on the monotonic clock. */
  readonly startedAt: number;
  /** Epoch milliseconds. */
  readonly now: number;
}
