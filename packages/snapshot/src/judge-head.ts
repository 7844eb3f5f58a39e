import { SNAPSHOT_SCHEMA_VERSION, type SnapshotHead } from '@portcullis/contracts/snapshot';
import { CLOCK_SKEW_MAX_MS } from './limits.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** `take`: what it names must be loaded. `confirm`: it names what is served, and is newer. `ignore`: it tells nothing new. */
export type HeadJudgement = 'take' | 'confirm' | 'ignore';

interface Standing {
  readonly served: SnapshotHead | undefined;
  /** What this node is known to have served at some time, if it has nothing loaded. */
  readonly floor: SnapshotHead | undefined;
  /** Wall clock, epoch milliseconds. */
  readonly now: number;
}

/** Between several ways a head can come by, a little disorder is ordinary; an older policy that comes later than this is a replay. */
const REORDERED_MS_MAX = 10_000;

/**
 * Decides about a head whose signature holds, against the one that is served. Policy never goes back: an older epoch or revision is refused as
 * `rollback`, however new its head. Throws a SnapshotRefusal also for `expired`, `issued_in_future`, `schema_newer`.
 */
export function judgeHead(head: SnapshotHead, { served, floor, now }: Standing): HeadJudgement {
  if (head.issuedAt > now + CLOCK_SKEW_MAX_MS) throw new SnapshotRefusal('issued_in_future');
  if (head.notAfter < now - CLOCK_SKEW_MAX_MS) throw new SnapshotRefusal('expired');
  if (floor !== undefined && compareRevisions(head, floor) < 0) throw new SnapshotRefusal('rollback');
  if (served === undefined) return takeIfReadable(head);
  const order = compareRevisions(head, served);
  if (order > 0) return takeIfReadable(head);
  const newer = head.issuedAt > served.issuedAt;
  if (order < 0) {
    if (newer || head.issuedAt < served.issuedAt - REORDERED_MS_MAX) throw new SnapshotRefusal('rollback');
    return 'ignore';
  }
  if (!newer) return 'ignore';
  return head.rootDigest === served.rootDigest ? 'confirm' : takeIfReadable(head);
}

/** Which of two heads names the newer policy, or is the newer of two that name the same. */
export function isNewer(head: SnapshotHead, other: SnapshotHead): boolean {
  const order = compareRevisions(head, other);
  return order > 0 || (order === 0 && head.issuedAt > other.issuedAt);
}

const compareRevisions = (one: SnapshotHead, other: SnapshotHead): number => one.epoch - other.epoch || one.revision - other.revision;

function takeIfReadable(head: SnapshotHead): 'take' {
  if (head.schema > SNAPSHOT_SCHEMA_VERSION) throw new SnapshotRefusal('schema_newer');
  return 'take';
}
