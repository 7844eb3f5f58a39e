import { z } from 'zod';
import { AnswerRules } from '../answer-rules.js';
import { ServerCapture } from '../capture.js';
import { Environment, Tag } from '../grants.js';
import { Id, Slug, ToolNameStyle } from '../names.js';
import { CreateRequestable } from './access-requests.js';
import { Reason } from './conventions.js';
import { CreateGrant } from './grants.js';
import { CreateLimit } from './limits.js';
import { SettingsChange } from './policy.js';
import { ServerProtocol } from './servers.js';

/** Bytes of a policy file. */
export const POLICY_FILE_BYTES_MAX = 8 * 1024 * 1024;

const displayName = z.string().min(1).max(120);

/** What is left out is as usual: no tags, no environment, enabled, era found out. The server itself is registered elsewhere. */
const FileServer = z.strictObject({
  tags: z.array(Tag).max(50).default([]),
  environment: Environment.nullable().default(null),
  protocol: ServerProtocol.default('auto'),
  enabled: z.boolean().default(true),
  auditCapture: ServerCapture.nullable().default(null),
  answerRules: AnswerRules.nullable().default(null),
});

const FileAgent = z.strictObject({
  name: displayName.optional(),
  owner: z.string().min(1).max(200).nullable().default(null),
  toolNameStyle: ToolNameStyle.default('double-underscore'),
  enabled: z.boolean().default(true),
});

const FileGroup = z.strictObject({ name: displayName.optional(), members: z.array(Slug).max(100_000).default([]) });

const ofRule = { id: Id.optional(), agent: Slug.optional(), group: Slug.optional(), server: Slug.optional() };

/** What a route would refuse of a rule, a file is refused for too. */
const asCreatedBy =
  (create: z.ZodType) =>
  ({ id: _id, ...rule }: { id?: string | undefined }, context: z.RefinementCtx): void => {
    for (const { path, message } of create.safeParse(rule).error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
  };

/** With the `id` of a grant that exists it changes that one; else it is the grant that says the same, or a new one. */
export const FileGrant = z.strictObject({ ...CreateGrant.shape, ...ofRule }).superRefine(asCreatedBy(CreateGrant));
export type FileGrant = z.infer<typeof FileGrant>;

/** What agents may ask for; found again as a grant is. */
export const FileRequestable = z.strictObject({ ...CreateRequestable.shape, ...ofRule }).superRefine(asCreatedBy(CreateRequestable));
export type FileRequestable = z.infer<typeof FileRequestable>;

/** How often agents, groups, servers and tools may be called; found again as a grant is. */
export const FileLimit = z.strictObject({ ...CreateLimit.shape, ...ofRule }).superRefine(asCreatedBy(CreateLimit));
export type FileLimit = z.infer<typeof FileLimit>;

/**
 * A whole policy in one reviewable file, by slugs: no secret, no key, no definition. It says all about what it names; what it does not name stays,
 * unless it is pruned: then agents, groups, members, grants, requestable rules and limits
 * go that a section of the file leaves out.
 */
export const PolicyFile = z.strictObject({
  version: z.literal(1),
  settings: SettingsChange.optional(),
  servers: z.record(Slug, FileServer).optional(),
  agents: z.record(Slug, FileAgent).optional(),
  groups: z.record(Slug, FileGroup).optional(),
  grants: z.array(FileGrant).max(200_000).optional(),
  requestable: z.array(FileRequestable).max(200_000).optional(),
  limits: z.array(FileLimit).max(200_000).optional(),
});
export type PolicyFile = z.infer<typeof PolicyFile>;

/** `prune` deletes what the sections of the file leave out; `dryRun` tells what would change, and changes nothing. */
export const ImportQuery = z.strictObject({
  reason: Reason.min(1).default('import of a policy file'),
  prune: z.enum(['true', 'false']).default('false'),
});
export type ImportQuery = z.infer<typeof ImportQuery>;
