import { freshRedis } from '@portcullis/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import type { Follower } from '../follower.js';
import { FollowRig } from './follow-rig.js';

/** For what comes by itself: long enough for a machine that is busy with something else. */
export const soon = { timeout: 20_000, interval: 5 };

/** One Redis for the tests of a file, emptied for each, and a rig around it of each test's own. */
export function rigForEach(use: (rig: FollowRig) => void): void {
  let service: Awaited<ReturnType<typeof freshRedis>>;
  let rig: FollowRig;
  beforeAll(async () => {
    service = await freshRedis();
  });
  afterAll(async () => service.stop());
  beforeEach(async () => {
    rig = await FollowRig.open(service);
    use(rig);
  });
  afterEach(async () => rig.close());
}

/** Waits until the follower serves this revision. */
export const serves = (follower: Follower, revision: number): Promise<void> =>
  vi.waitFor(() => expect(follower.current()?.revision).toBe(revision), soon);

/** Waits until a follower of the rig has refused something for this reason. */
export const refuses = (rig: FollowRig, reason: string): Promise<void> => vi.waitFor(() => expect(rig.refusals).toContain(reason), soon);
