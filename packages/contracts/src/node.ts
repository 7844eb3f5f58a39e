import { z } from 'zod';
import { AuditLink } from './audit.js';
import { AccessRequestStatus, REQUEST_REASON_CHARS_MAX } from './api/access-requests.js';
import { Digest, SignedHead } from './snapshot.js';
import { Id } from './names.js';

/** What a gateway node and the control plane say to one another under `/v1/node`. Authenticated by the node's own key. */

/** `POST /v1/node/enrol`, authenticated by a join token: the node's X25519 public key, to which its secrets are sealed. */
export const EnrolRequest = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/),
  sealingPublicKey: z.string().max(200),
});
export type EnrolRequest = z.infer<typeof EnrolRequest>;

/** Keys every node holds, both generations that are valid. Secrets are base64url of 32 bytes. */
export const NodeKeys = z.object({
  /** Ed25519 public keys that may sign heads. */
  signing: z.array(z.object({ keyId: z.string(), publicKey: z.string() })),
  /** Peppers under which agent keys are hashed. */
  peppers: z.array(z.object({ keyId: z.string(), secret: z.string() })),
  /** Keys that seal session ids, cursors and request state; the first seals, all open. */
  session: z.array(z.object({ keyId: z.string(), secret: z.string() })),
  /** Keys that open what servers are called with; an older control plane has none. */
  credentials: z.array(z.object({ keyId: z.string(), secret: z.string() })).optional(),
});
export type NodeKeys = z.infer<typeof NodeKeys>;

/** What sealed keys are bound to, so that they do not open as another node's. */
export const nodeKeysAad = (nodeId: string): string => `node-keys|${nodeId}|1`;

/** `sealedKeys` is `NodeKeys` as JSON, sealed to the node's public key with `nodeKeysAad`. */
export const EnrolResponse = z.object({ nodeId: Id, nodeKey: z.string(), sealedKeys: z.string() });
export type EnrolResponse = z.infer<typeof EnrolResponse>;

/** `GET /v1/node/keys`: the current ring, sealed to the node. */
export const NodeKeysResponse = z.object({ sealedKeys: z.string() });
export type NodeKeysResponse = z.infer<typeof NodeKeysResponse>;

/** What the column that keeps it can hold: 24 days. */
export const POLICY_AGE_MS_MAX = 2_147_483_647;

/** `POST /v1/node/status`: sent at every applied or refused head, and every two seconds. A newer node may say more. */
export const NodeStatus = z.object({
  boot: Id,
  version: z.string().max(64),
  url: z.string().max(2048).nullable(),
  epoch: z.number().int().nonnegative(),
  appliedRevision: z.number().int().nonnegative(),
  /** Null until the node has a policy. */
  policyAgeMs: z.number().int().nonnegative().max(POLICY_AGE_MS_MAX).nullable(),
  /** The newest schema of snapshots it reads; a node that does not say knows only the first. */
  schemaMax: z.number().int().positive().max(1_000_000).optional(),
  /** The head it serves by, while it refuses another as older: proof of a policy that the control plane may have forgotten. */
  head: SignedHead.optional(),
  refused: z.object({ revision: z.number().int().nullable(), reason: z.string().max(200) }).nullable(),
  /** Boots whose audit events this node still holds, with the last sequence number each has used. */
  audit: z.array(z.strictObject({ boot: Id, lastSeq: z.number().int().nonnegative() })).max(1000),
  /** Links of the chains of those boots that the control plane may not have yet. A report that is answered has handed them over. */
  auditLinks: z.array(AuditLink).max(1000).optional(),
});
export type NodeStatus = z.infer<typeof NodeStatus>;

/** The answer: up to where each boot's audit events are in Postgres without a hole, and the newest head. */
export const NodeStatusResponse = z.object({
  audit: z.array(z.object({ boot: Id, contiguousSeq: z.number().int().nonnegative() })),
  head: SignedHead.nullable(),
});
export type NodeStatusResponse = z.infer<typeof NodeStatusResponse>;

/** `POST /v1/node/changes`: a server says that what it offers has changed. Answered with 204; it is discovered again soon, not at once. */
export const NodeChange = z.strictObject({ serverId: Id });
export type NodeChange = z.infer<typeof NodeChange>;

/** `POST /v1/node/credentials/{id}/token`: the token of a connection that an operator made. `refused` is the digest of one that the server did not take. */
export const NodeTokenRequest = z.strictObject({ refused: Digest.optional() });
export type NodeTokenRequest = z.infer<typeof NodeTokenRequest>;

/** Sealed to the node with `nodeTokenAad`. 409 where the connection has ended, or was never made. Times are epoch milliseconds. */
export const NodeTokenResponse = z.object({ sealedToken: z.string(), expiresAt: z.number().int().nullable() });
export type NodeTokenResponse = z.infer<typeof NodeTokenResponse>;

export const nodeTokenAad = (nodeId: string, credentialId: string): string => `node-token|${nodeId}|${credentialId}|1`;

/** `POST /v1/node/audit-key`: the Ed25519 key (raw, base64url) that this node will sign its audit chain with. The same key may be registered again. */
export const NodeAuditKey = z.strictObject({ publicKey: z.string().length(43) });
export type NodeAuditKey = z.infer<typeof NodeAuditKey>;

/** The key's id, and the secret (base64url of 32 bytes) under which the node tags its batches, sealed to the node with `nodeAuditKeyAad`. */
export const NodeAuditKeyResponse = z.object({ keyId: z.string(), sealedSecret: z.string() });
export type NodeAuditKeyResponse = z.infer<typeof NodeAuditKeyResponse>;

/** The place in the database that a node's secret lies sealed for: it opens for no other node or key. */
export const auditKeyPlace = (node: string, keyId: string): string => `audit_key|${node}|${keyId}|1`;

export const nodeAuditKeyAad = (nodeId: string, keyId: string): string => `node-audit-key|${nodeId}|${keyId}|1`;

/** `GET /v1/node/head` → SignedHead; `GET /v1/node/chunks/{digest}` → the bytes. */
export const ChunkParams = z.object({ digest: Digest });

/** `POST /v1/node/access-requests`: an agent asks for a tool, named as it knows names. */
export const NodeAccessRequest = z.strictObject({
  agentId: Id,
  tool: z.string().min(1).max(2200),
  reason: z.string().min(1).max(REQUEST_REASON_CHARS_MAX),
  durationSeconds: z.number().int().positive(),
  /** Of the call that asks, so that the trail joins the two. */
  callId: Id,
});
export type NodeAccessRequest = z.infer<typeof NodeAccessRequest>;

/** A request as the agent it is for may see it. */
export const OwnAccessRequest = z.object({
  id: Id,
  tools: z.array(z.string()),
  status: AccessRequestStatus,
  durationSeconds: z.number().int(),
  createdAt: z.string(),
  decidedAt: z.string().nullable(),
  decisionReason: z.string().nullable(),
  /** When the access ends, where it was approved and is still there. */
  accessUntil: z.string().nullable(),
});
export type OwnAccessRequest = z.infer<typeof OwnAccessRequest>;

/** `refused` is all that is said of what is not requestable, whether it exists or not. */
export const NodeAccessAnswer = z.union([
  z.object({ outcome: z.literal('filed'), request: OwnAccessRequest }),
  z.object({ outcome: z.enum(['refused', 'too_many_open', 'too_often']) }),
]);
export type NodeAccessAnswer = z.infer<typeof NodeAccessAnswer>;

/** `POST /v1/node/access-requests/find`: an agent looks up its own requests, the newest first, or one of them. */
export const NodeAccessLookup = z.strictObject({ agentId: Id, id: Id.optional() });
export type NodeAccessLookup = z.infer<typeof NodeAccessLookup>;
export const NodeAccessFound = z.object({ requests: z.array(OwnAccessRequest) });
export type NodeAccessFound = z.infer<typeof NodeAccessFound>;

/**
 * `POST /v1/node/audit`, while Redis takes nothing: one batch of audit events as the JSON that would have gone to the queue, under a type of its own,
 * which may be longer than other bodies. Answered with 204 when Postgres has it; workers then store its events as they do those of the queue.
 */
export const AUDIT_BATCH_TYPE = 'application/vnd.portcullis.audit-batch+json';
export const AUDIT_BATCH_BYTES_MAX = 4 * 1024 * 1024;
