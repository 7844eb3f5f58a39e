import { z } from 'zod';
import { AuditDecision, AuditStatus } from '../audit.js';
import { CaptureMode } from '../capture.js';
import { Id } from '../names.js';
import { exampleCall } from './audit-examples.js';
import { pageOf, Timestamp } from './conventions.js';

/**
 * `admin` may do everything; `auditor` reads everything; `viewer` reads inventory and policy and may ask for access; `approver` decides what was
 * asked for, and reads what that needs.
 */
export const OperatorRole = z.enum(['admin', 'auditor', 'approver', 'viewer']);
export type OperatorRole = z.infer<typeof OperatorRole>;

const operatorName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9@._+-]{0,119}$/);

/** The right to widen what one's own agents may do, each time with a reason that is kept (`X-Break-Glass`). Nobody gives it to themselves. */
const breakGlass = z.boolean();

export const CreateOperator = z
  .strictObject({ name: operatorName, role: OperatorRole, breakGlass: breakGlass.default(false) })
  .meta({ id: 'CreateOperator' });
export type CreateOperator = z.infer<typeof CreateOperator>;

export const Operator = z
  .object({ id: Id, name: z.string(), role: OperatorRole, breakGlass, enabled: z.boolean(), createdAt: Timestamp })
  .meta({ id: 'Operator' });
export type Operator = z.infer<typeof Operator>;
/** Every member may be left out; what is left out stays as it is. */
export const UpdateOperator = z.strictObject({ role: OperatorRole, breakGlass, enabled: z.boolean() }).partial().meta({ id: 'UpdateOperator' });
export type UpdateOperator = z.infer<typeof UpdateOperator>;
export const OperatorPage = pageOf(Operator).meta({ id: 'OperatorPage' });

export const CreateOperatorToken = z.strictObject({ expiresAt: Timestamp.nullable().default(null) }).meta({ id: 'CreateOperatorToken' });
export type CreateOperatorToken = z.infer<typeof CreateOperatorToken>;

export const OperatorToken = z
  .object({ id: z.string(), createdAt: Timestamp, expiresAt: Timestamp.nullable(), revokedAt: Timestamp.nullable() })
  .meta({ id: 'OperatorToken' });
export type OperatorToken = z.infer<typeof OperatorToken>;
export const OperatorTokenPage = pageOf(OperatorToken).meta({ id: 'OperatorTokenPage' });

/** `token` is shown here and never again. */
export const CreatedOperatorToken = z
  .object({ id: z.string(), token: z.string(), createdAt: Timestamp, expiresAt: Timestamp.nullable() })
  .meta({ id: 'CreatedOperatorToken' });
export type CreatedOperatorToken = z.infer<typeof CreatedOperatorToken>;

export const Node = z
  .object({
    id: Id,
    name: z.string(),
    url: z.string().nullable(),
    version: z.string().nullable(),
    enrolledAt: Timestamp,
    lastSeenAt: Timestamp.nullable(),
    /** Whether it reported within the last ten seconds. */
    live: z.boolean(),
    epoch: z.number().int().nullable(),
    appliedRevision: z.number().int().nullable(),
    policyAgeMs: z.number().int().nullable(),
    /** The newest schema of snapshots it reads; null before its first report. */
    schemaMax: z.number().int().nullable(),
    refused: z.object({ revision: z.number().int().nullable(), reason: z.string() }).nullable(),
  })
  .meta({ id: 'Node' });
export type Node = z.infer<typeof Node>;
export const NodePage = pageOf(Node).meta({ id: 'NodePage' });

export const CreateJoinToken = z
  .strictObject({ expiresInSeconds: z.number().int().min(60).max(604_800).default(3600) })
  .meta({ id: 'CreateJoinToken' });
export type CreateJoinToken = z.infer<typeof CreateJoinToken>;
/** Lets nodes enrol until it expires. Shown once. */
export const JoinToken = z.object({ token: z.string(), expiresAt: Timestamp }).meta({ id: 'JoinToken' });
export type JoinToken = z.infer<typeof JoinToken>;

/** One call, refusal, handshake or operator's action; a forwarded call's intent and outcome are one event here. */
export const AuditRecord = z
  .object({
    callId: Id,
    timestamp: Timestamp,
    method: z.string(),
    agent: z.string().nullable(),
    operator: z.string().nullable(),
    server: z.string().nullable(),
    tool: z.string().nullable(),
    /** The arguments as far as they were kept; null where there were none or none were kept. */
    args: z.unknown().nullable(),
    argsTruncated: z.boolean(),
    /** `full`: they are as they were sent, as far as they go. `redacted`: something was replaced. Then, and where they are `hashed`, the hash is keyed. */
    argsCapture: CaptureMode,
    /** `pending` while a call runs, `unknown` when its outcome never came. */
    status: z.union([AuditStatus, z.literal('unknown')]),
    decision: AuditDecision,
    reason: z.string().nullable(),
    grantId: Id.nullable(),
    /** Where the grants in the mode `shadow`, enforced, would have decided otherwise: how, and by which grant. */
    shadowDecision: z.enum(['allow', 'deny']).nullable(),
    shadowGrantId: Id.nullable(),
    keyId: z.string().nullable(),
    /** The task whose key was used. */
    task: z.string().nullable(),
    /** On whose behalf the agent called: the subject of its access token. */
    onBehalfOf: z.string().nullable(),
    /** Another agent, whose name the client gave as its own. It opened nothing. */
    claimedAgent: z.string().nullable(),
    revision: z.number().int().nullable(),
    definitionHash: z.string().nullable(),
    durationMs: z.number().nullable(),
    upstreamMs: z.number().nullable(),
    result: z
      .object({ bytes: z.number().int(), hash: z.string().nullable(), summary: z.string().nullable(), truncated: z.boolean(), capture: CaptureMode })
      .nullable(),
    traceId: z.string().nullable(),
    node: z.string(),
    boot: Id.nullable(),
    seq: z.number().int(),
  })
  .meta({ id: 'AuditRecord', examples: [exampleCall] });
export type AuditRecord = z.infer<typeof AuditRecord>;
export const AuditRecordPage = pageOf(AuditRecord).meta({ id: 'AuditRecordPage', examples: [{ items: [exampleCall], nextCursor: null }] });
