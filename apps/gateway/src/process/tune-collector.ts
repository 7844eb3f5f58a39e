import { setFlagsFromString } from 'node:v8';

/**
 * V8 starts a full collection when what is left to the old generation's limit is less than a young generation. A node's heap is small beside its young
 * generation, so that this is nearly always so, and it went over the whole heap again and again: every 3,000 calls, a fifth of all CPU, and stalls of
 * 10 to 40 ms. Now one starts when half of the way from the last to the limit is used.
 */
const FLAGS = [
  '--incremental-marking-soft-trigger=50',
  '--incremental-marking-hard-trigger=90',
  // After an idle time the young generation has shrunk to a fraction of the calls in progress, which then became old, and came back in four steps.
  '--semi-space-growth-factor=16',
];

/** Sets when this process collects what nobody uses; to be called before anything else. How large the young generation may become is for whoever starts the process. */
export function tuneCollector(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
