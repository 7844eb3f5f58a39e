import { z } from 'zod';
import { AnswerRules } from '../answer-rules.js';
import { ServerCapture } from '../capture.js';
import { Environment, Tag } from '../grants.js';
import { Era, Id, PinnedKind, RESERVED_SLUGS, Slug, Transport } from '../names.js';
import { LaunchProfile } from '../runner/launch-profile.js';
import { pageOf, pageQuery, Reason, Timestamp } from './conventions.js';
import { CredentialTrouble } from './credentials.js';
import { DiscoveryProblem } from './discovery-problem.js';
import { ServerHosting } from './server-hosting.js';

const ServerUrl = z.url({ protocol: /^https?$/ }).max(2048);
const refreshIntervalSeconds = z.number().int().min(30).max(86_400);

const driftBudgetPerDay = z.number().int().min(1).max(10_000);

/** What is served of a definition that changed since approval: nothing, or what was approved where only its titles and descriptions changed. */
export const KeepServing = z.enum(['none', 'descriptions-only']);
export type KeepServing = z.infer<typeof KeepServing>;

/** Which era to speak to the server: `auto` probes, the others are pins. */
export const ServerProtocol = z.enum(['auto', 'legacy', 'modern']);
export type ServerProtocol = z.infer<typeof ServerProtocol>;

/**
 * How to reach the server: `auto` finds out, the others are pins. HTTP+SSE belongs to the older era alone. `stdio` is a program that a runner starts,
 * as its approved launch profile says.
 */
export const ServerTransport = z.enum(['auto', ...Transport.options, 'stdio']);
export type ServerTransport = z.infer<typeof ServerTransport>;

export const DefinitionState = z.enum(['pending', 'approved', 'changed', 'rejected', 'removed']);
export type DefinitionState = z.infer<typeof DefinitionState>;

export const CreateServer = z
  .strictObject({
    slug: Slug.refine((slug) => !RESERVED_SLUGS.has(slug), 'is reserved'),
    /** Left out for `stdio`, and for nothing else. */
    url: ServerUrl.optional(),
    name: z.string().min(1).max(120).optional(),
    protocol: ServerProtocol.default('auto'),
    transport: ServerTransport.default('auto'),
    /** The first profile of a server of `stdio`. It waits for approval. */
    profile: LaunchProfile.optional(),
    tags: z.array(Tag).max(50).default([]),
    environment: Environment.nullable().default(null),
    description: z.string().min(1).max(1000).nullable().default(null),
    /** How long at most until it is asked again what it offers; sooner when it says so, or says how long its lists hold. */
    refreshIntervalSeconds: refreshIntervalSeconds.default(600),
    keepServing: KeepServing.default('none'),
    /** A server that changes more than this within 24 hours is suspended until an operator resumes it. */
    driftBudgetPerDay: driftBudgetPerDay.default(100),
    /** `all` trusts whatever the first discovery finds. An explicit choice, never a default. */
    approve: z.enum(['none', 'all']).default('none'),
    reason: Reason.optional(),
  })
  .refine(({ url, transport }) => (url === undefined) === (transport === 'stdio'), {
    path: ['url'],
    message: 'is left out for stdio, and for nothing else',
  })
  .refine(({ profile, transport }) => profile === undefined || transport === 'stdio', { path: ['profile'], message: 'is for stdio alone' })
  .meta({
    id: 'CreateServer',
    examples: [
      { slug: 'github', url: 'https://mcp.example.com/mcp', tags: ['scm'] },
      {
        slug: 'files',
        transport: 'stdio',
        profile: { program: { kind: 'npm', name: '@modelcontextprotocol/server-filesystem', version: '2026.8.31' }, args: ['/srv/files'] },
      },
    ],
  });
export type CreateServer = z.infer<typeof CreateServer>;

export const UpdateServer = z
  .strictObject({
    url: ServerUrl,
    name: z.string().min(1).max(120),
    protocol: ServerProtocol,
    transport: ServerTransport,
    tags: z.array(Tag).max(50),
    environment: Environment.nullable(),
    description: z.string().min(1).max(1000).nullable(),
    refreshIntervalSeconds,
    keepServing: KeepServing,
    driftBudgetPerDay,
    auditCapture: ServerCapture.nullable(),
    answerRules: AnswerRules.nullable(),
    enabled: z.boolean(),
    reason: Reason,
  })
  .partial()
  .meta({ id: 'UpdateServer' });
export type UpdateServer = z.infer<typeof UpdateServer>;

export const Server = z
  .object({
    id: Id,
    slug: Slug,
    name: z.string(),
    /** `stdio:<slug>` of a server that a runner hosts. */
    url: z.string(),
    protocol: ServerProtocol,
    /** The era it speaks: the pin, else what discovery last saw. */
    era: Era.nullable(),
    /** Whether it speaks the other one too, so that each agent is served in its own; never where one is pinned. */
    bothEras: z.boolean(),
    /** How it is reached: the pin, else as discovery found out. */
    transport: z.enum([...Transport.options, 'stdio']),
    transportPin: ServerTransport,
    /** Null but for `stdio`. */
    hosting: ServerHosting.nullable(),
    tags: z.array(z.string()),
    environment: z.string().nullable(),
    description: z.string().nullable(),
    /** Where a bulk registration has it from: source and origin, and its id there. */
    importedFrom: z.object({ source: z.string(), id: z.string() }).nullable(),
    enabled: z.boolean(),
    refreshIntervalSeconds: z.number().int(),
    keepServing: KeepServing,
    driftBudgetPerDay: z.number().int(),
    /** What is kept of its calls in the audit trail; null where that is as the settings say. */
    auditCapture: ServerCapture.nullable(),
    /** What agents may get of what it answers; null where that is everything. */
    answerRules: AnswerRules.nullable(),
    /** Set while nothing of the server is served because it changed too much: since when, and what happened. */
    suspension: z.object({ at: Timestamp, reason: z.string() }).nullable(),
    /** Name and version of its software, as it says. */
    software: z.string().nullable(),
    /** SHA-256 (hex) of the public key that it showed for TLS when it was last discovered; null where none was seen. Another one is drift. */
    tlsKey: z.string().nullable(),
    /** What the server says now; agents are given what was approved of it, the definition of kind `instructions`. */
    instructions: z.string().nullable(),
    discovery: z.object({
      status: z.enum(['never', 'ok', 'failed']),
      at: Timestamp.nullable(),
      /** What went wrong, in words for an operator; null when the last discovery succeeded. */
      error: z.string().nullable(),
      problems: z.array(DiscoveryProblem),
    }),
    definitions: z.object({
      pending: z.number().int(),
      approved: z.number().int(),
      changed: z.number().int(),
      rejected: z.number().int(),
      removed: z.number().int(),
    }),
    /** What is wrong with what it is called with, or will be within two weeks: connections to be made anew, certificates that end. */
    credentialTroubles: z.array(CredentialTrouble),
    /** What an operator would do next, in words, with the request to send. */
    next: z.array(z.string()),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Server' });
export type Server = z.infer<typeof Server>;

export const ListServersQuery = z.strictObject({
  ...pageQuery,
  /** Finds servers whose slug, name, URL or tag contains this text. */
  q: z.string().min(1).max(200).optional(),
  tag: Tag.optional(),
  environment: Environment.optional(),
  enabled: z.enum(['true', 'false']).optional(),
});
export type ListServersQuery = z.infer<typeof ListServersQuery>;
export const ServerPage = pageOf(Server).meta({ id: 'ServerPage' });

export const Definition = z
  .object({
    id: Id,
    /** Canonical id, `server:name`. */
    ref: z.string(),
    kind: PinnedKind,
    name: z.string(),
    state: DefinitionState,
    /** Whether agents that are granted it have it. */
    served: z.boolean(),
    /** SHA-256 of the canonical form of what the server offers now, and of what was approved. */
    hash: z.string(),
    approvedHash: z.string().nullable(),
    /** What the server offers now, and what was approved where that differs. */
    offered: z.unknown(),
    approved: z.unknown().nullable(),
    firstSeenAt: Timestamp,
    lastSeenAt: Timestamp,
    decidedAt: Timestamp.nullable(),
    decidedBy: z.string().nullable(),
  })
  .meta({ id: 'Definition' });
export type Definition = z.infer<typeof Definition>;

export const ListDefinitionsQuery = z.strictObject({
  ...pageQuery,
  state: DefinitionState.optional(),
  kind: PinnedKind.optional(),
  q: z.string().min(1).max(200).optional(),
});
export type ListDefinitionsQuery = z.infer<typeof ListDefinitionsQuery>;
export const DefinitionPage = pageOf(Definition).meta({ id: 'DefinitionPage' });

/**
 * Approve or reject: `all` those that wait, or single ones, each optionally with the `hash` that was looked at,
 * so that a definition which changed meanwhile is refused (409) instead of approved unseen.
 */
export const DecideDefinitions = z
  .union([
    z.strictObject({ all: z.literal(true), reason: Reason.optional() }),
    z.strictObject({
      definitions: z
        .array(z.strictObject({ id: Id, hash: z.string().optional() }))
        .min(1)
        .max(1000),
      reason: Reason.optional(),
    }),
  ])
  .meta({ id: 'DecideDefinitions', examples: [{ all: true }] });
export type DecideDefinitions = z.infer<typeof DecideDefinitions>;

export const DecideDefinitionsResult = z.object({ decided: z.number().int(), server: Server }).meta({ id: 'DecideDefinitionsResult' });
export type DecideDefinitionsResult = z.infer<typeof DecideDefinitionsResult>;

/** `POST /v1/servers/{server}/discovery`: runs in a discovery worker; the answer waits for it up to `waitSeconds`. */
export const DiscoverQuery = z.strictObject({ waitSeconds: z.coerce.number().int().min(0).max(60).default(20) });
export const DiscoveryReport = z.object({ finished: z.boolean(), server: Server }).meta({ id: 'DiscoveryReport' });
export type DiscoveryReport = z.infer<typeof DiscoveryReport>;
