import { z } from 'zod';
import { Id } from '../names.js';
import { Reference, Timestamp } from './conventions.js';

/** Makes a recorded call of a tool again, at its server or at `target`, such as a staging one that offers the same tool. */
export const ReplayCall = z
  .strictObject({
    /** Kept on record. */
    reason: z.string().trim().min(1).max(500),
    target: Reference.optional(),
    /** Also a tool that does not say that it only reads; for administrators. */
    allowWrites: z.boolean().default(false),
  })
  .meta({ id: 'ReplayCall', examples: [{ reason: 'does staging answer alike?', target: 'github-staging' }] });
export type ReplayCall = z.infer<typeof ReplayCall>;

/** `pending`: it was sent, and nothing is known of its end. `failed`: the server was not reached, did not answer in time, or answered with an error. */
export const ReplayStatus = z.enum(['pending', 'success', 'tool_error', 'failed']);
export type ReplayStatus = z.infer<typeof ReplayStatus>;

/** A call that was made again. */
export const CallReplay = z
  .object({
    id: Id,
    replayOf: Id,
    at: Timestamp,
    operator: z.string(),
    reason: z.string(),
    server: z.string(),
    /** Where it went. */
    target: z.string(),
    tool: z.string(),
    status: ReplayStatus,
    durationMs: z.number().int().nullable(),
    resultHash: z.string().nullable(),
    resultBytes: z.number().int().nullable(),
    /** Whether the result was that of the recorded call; null where that is not known. */
    same: z.boolean().nullable(),
  })
  .meta({ id: 'CallReplay' });
export type CallReplay = z.infer<typeof CallReplay>;

/** One place in which the results differ: a JSON pointer into them, and what is there in each. Long values are cut. */
const ResultChange = z.object({
  pointer: z.string(),
  change: z.enum(['added', 'removed', 'replaced']),
  before: z.string().optional(),
  after: z.string().optional(),
});

/** `value`: both results were compared place by place. `hash`: the recorded one was not kept whole, so that only their digests were. `none`: there was no result. */
export const ReplayResult = CallReplay.extend({
  /** Why it failed. */
  error: z.string().nullable(),
  comparedBy: z.enum(['value', 'hash', 'none']),
  changes: z.array(ResultChange),
  /** There are more changes than are told. */
  changesTruncated: z.boolean(),
}).meta({ id: 'ReplayResult' });
export type ReplayResult = z.infer<typeof ReplayResult>;
