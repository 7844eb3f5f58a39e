import { z } from 'zod';

/** Slugs of servers, agents and groups: lower-case ASCII, so that the first `:` of `server:tool` always splits. */
export const Slug = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'must be 1–32 characters of a–z, 0–9 and inner hyphens');
export type Slug = z.infer<typeof Slug>;

/** Names that the gateway itself uses and no server may have. */
export const RESERVED_SLUGS: ReadonlySet<string> = new Set(['portcullis']);

/** The gateway itself, where policy names it as a server: its own tools are granted like those of others. No row has this id. */
export const OWN_SERVER_ID = '00000000-0000-7000-8000-706f72746375';
/** The gateway's own tools, by which agents ask for access. */
export const OWN_TOOLS = { request: 'request_access', look: 'access_requests' } as const;

export const Id = z.uuid();
export type Id = z.infer<typeof Id>;

/** What a server offers, in policy's words. Resource templates are governed as resources. */
export const TargetKind = z.enum(['tools', 'prompts', 'resources']);
export type TargetKind = z.infer<typeof TargetKind>;

export const DefinitionKind = z.enum(['tool', 'prompt', 'resource', 'resource_template']);
export type DefinitionKind = z.infer<typeof DefinitionKind>;

/** What is pinned of a server and reaches agents only as it was approved: what it offers, and the instructions that it gives for all of it. */
export const PinnedKind = z.enum([...DefinitionKind.options, 'instructions']);
export type PinnedKind = z.infer<typeof PinnedKind>;
/** Instructions have no name of their own, and a server has one text of them. */
export const INSTRUCTIONS_NAME = 'instructions';

export const targetKindOf: Readonly<Record<DefinitionKind, TargetKind>> = {
  tool: 'tools',
  prompt: 'prompts',
  resource: 'resources',
  resource_template: 'resources',
};

/** The two lines of the protocol: `legacy` up to 2025-11-25 (handshake, sessions), `modern` from 2026-07-28 (stateless). */
export const Era = z.enum(['legacy', 'modern']);
export type Era = z.infer<typeof Era>;

/** How a server is reached: Streamable HTTP, or the HTTP+SSE of 2024-11-05, which is always `legacy`. */
export const Transport = z.enum(['streamable-http', 'sse']);
export type Transport = z.infer<typeof Transport>;

/** How a tool's canonical id `server:tool` is written for an agent. */
export const ToolNameStyle = z.enum(['double-underscore', 'colon', 'dot']);
export type ToolNameStyle = z.infer<typeof ToolNameStyle>;

/** A place in the `_meta` of results, as JSON pointers (RFC 6901) write it, is no longer than this. */
export const UNIT_LENGTH_MAX = 128;
