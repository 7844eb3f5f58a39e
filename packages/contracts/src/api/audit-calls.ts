import { z } from 'zod';
import { Id } from '../names.js';
import { AccessRequest } from './access-requests.js';
import { exampleStory } from './audit-examples.js';
import { pageQuery, Timestamp } from './conventions.js';
import { Grant } from './grants.js';
import { AuditRecord } from './operations.js';
import { CallReplay } from './replays.js';

/** What one agent did, or what happened under one trace, oldest first; narrowed by time if wanted. */
export const AuditTimelineQuery = z
  .strictObject({
    ...pageQuery,
    agent: z.string().min(1).max(256).optional(),
    traceId: z.string().min(1).max(256).optional(),
    from: Timestamp.optional(),
    to: Timestamp.optional(),
  })
  .refine(({ agent, traceId }) => (agent === undefined) !== (traceId === undefined), {
    error: 'takes agent or traceId, one of them',
    path: ['agent'],
  });
export type AuditTimelineQuery = z.infer<typeof AuditTimelineQuery>;

const ms = z.number().nonnegative().nullable();

/** Everything that is on record about one call. */
export const AuditCall = z
  .object({
    /** The call as one event; its status is `unknown` where an outcome never came. */
    call: AuditRecord,
    /** The rows themselves, in the order of the node. */
    events: z.array(
      z.object({
        phase: z.enum(['intent', 'outcome', 'single']),
        at: Timestamp,
        status: z.string(),
        reason: z.string().nullable(),
        node: z.string(),
        boot: Id,
        seq: z.number().int(),
      }),
    ),
    /** All of it as the agent saw it, the server's part, and the rest, which is the gateway's own. Null where it is not known. */
    timings: z.object({ totalMs: ms, upstreamMs: ms, gatewayMs: ms }),
    /** How often it was sent to its server once more: where no connection was to be had, a session was lost or a credential renewed, so that nothing ran. */
    retries: z.number().int().nonnegative(),
    arguments: z.object({
      value: z.unknown().nullable(),
      hash: z.string().nullable(),
      bytes: z.number().int().nullable(),
      /** `redacted`: all but what a marker stands for, and that may be cut too. */
      kept: z.enum(['whole', 'part', 'redacted', 'hashed', 'none']),
    }),
    /** The grant by which it was decided: `atCall` with its columns as of the revision by which the node decided, `now` as it is. Null where it was not or is no more. */
    grant: z.object({ id: Id, atCall: z.record(z.string(), z.unknown()).nullable(), now: Grant.nullable() }).nullable(),
    /** What was approved under the tool's name when it was called; `json` is null where no copy with this digest is left. */
    definition: z.object({ hash: z.string(), json: z.unknown().nullable(), approvedNow: z.boolean() }).nullable(),
    /** The request that brought the grant: `GET /v1/access-requests/{id}/thread` tells the rest. */
    accessRequest: AccessRequest.nullable(),
    /** What the server asked in the middle of the call. */
    questions: z.array(z.object({ callId: Id, method: z.string(), at: Timestamp, status: z.string() })),
    /** When it was made again, the newest first; of many the first hundred. */
    replays: z.array(CallReplay),
  })
  .meta({ id: 'AuditCall', examples: [exampleStory] });
export type AuditCall = z.infer<typeof AuditCall>;
