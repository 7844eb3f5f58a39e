import { z } from 'zod';
import { Id } from '../names.js';
import { ChildState } from '../runner/status.js';
import { Digest } from '../snapshot.js';

/** How a server of stdio is hosted. */
export const ServerHosting = z.object({
  /** What runs, and what waits for approval. */
  profile: z.object({ version: z.number().int(), hash: Digest }).nullable(),
  waiting: z.object({ version: z.number().int(), hash: Digest }).nullable(),
  /** Variables that the profile takes from the server's credential, and that are not in it: it is not started without. */
  missingSecrets: z.array(z.string()),
  /** Its place: the runner to which nodes are told to go. */
  runner: z.object({ id: Id, name: z.string(), live: z.boolean() }).nullable(),
  /** What that runner said last of its children; null while it has said nothing. */
  child: z
    .object({
      state: ChildState,
      instances: z.number().int(),
      restarts: z.number().int(),
      junkLines: z.number().int(),
      /** Whether it takes more processor time than its profile allows, and is stopped now and then for that. */
      throttled: z.boolean(),
      lastError: z.string().nullable(),
    })
    .nullable(),
  /** What the runner's system does not keep children from, in words. */
  sandboxGaps: z.array(z.string()),
});
export type ServerHosting = z.infer<typeof ServerHosting>;
