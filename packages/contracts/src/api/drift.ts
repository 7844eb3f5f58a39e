import { z } from 'zod';
import { Id, PinnedKind } from '../names.js';
import { exampleChangeDetail, exampleDiff, exampleDriftPage, exampleSelection } from './drift-examples.js';
import { pageOf, pageQuery, Reason, Reference, Timestamp } from './conventions.js';
import { Definition, DefinitionState } from './servers.js';

/** One place in which two definitions differ, by JSON pointer (RFC 6901). */
export const FieldChange = z
  .object({
    pointer: z.string(),
    change: z.enum(['added', 'removed', 'replaced']),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
  })
  .meta({ id: 'FieldChange' });
export type FieldChange = z.infer<typeof FieldChange>;

/** Something to look at twice before approving. Marks alert; they decide nothing. */
export const DefinitionMark = z
  .object({
    code: z.enum([
      'hidden_characters',
      'bidirectional_characters',
      'instruction_like',
      'new_url',
      'no_longer_read_only',
      'became_destructive',
      'became_open_world',
      'new_required_parameter',
      'new_parameter',
      'wider_schema',
      'removed_enum',
      'name_look_alike',
      'names_other_tool',
    ]),
    /** Into the definition that is offered. */
    pointer: z.string(),
    detail: z.string(),
    /** The first of them, each with its place in UTF-16 units. */
    characters: z.array(z.object({ codePoint: z.string(), at: z.number().int() })).optional(),
  })
  .meta({ id: 'DefinitionMark' });
export type DefinitionMark = z.infer<typeof DefinitionMark>;

/** `GET /v1/servers/{server}/definitions/{id}/diff`: what an operator would approve, against what was approved. */
export const DefinitionDiff = z
  .object({
    definition: Definition.pick({ id: true, ref: true, kind: true, name: true, state: true, hash: true, approvedHash: true, served: true }),
    /** What was approved; null when nothing was. */
    before: z.unknown().nullable(),
    /** What the server offers; null when it offers it no more. */
    after: z.unknown().nullable(),
    fields: z.array(FieldChange),
    /** Whether titles and descriptions are all that differs. */
    descriptionsOnly: z.boolean(),
    marks: z.array(DefinitionMark),
  })
  .meta({ id: 'DefinitionDiff', examples: [exampleDiff] });
export type DefinitionDiff = z.infer<typeof DefinitionDiff>;

/**
 * `added`: offered for the first time. `changed`: it differs from what was offered before. `removed`: not offered any more. `returned`: offered again
 * just as it was approved. `server`: what the server says of itself (its software, its era). `tls_key`: the public key it shows for TLS; it does not
 * count against the server's budget.
 */
export const DriftKind = z.enum(['added', 'changed', 'removed', 'returned', 'server', 'tls_key']);
export type DriftKind = z.infer<typeof DriftKind>;

/** What an operator said to a change; `superseded` when the server changed it again before anybody did. */
export const DriftDecision = z.enum(['approved', 'rejected', 'superseded']);

/** One change that a server made. What a server offers when it is first seen is no change. */
export const DriftChange = z
  .object({
    id: Id,
    at: Timestamp,
    serverId: Id,
    server: z.string(),
    change: DriftKind,
    /** Null where the change is one of the server itself. */
    definition: z.object({ id: Id, ref: z.string(), kind: PinnedKind, name: z.string() }).nullable(),
    /** The state that the definition came to by it. */
    state: DefinitionState.nullable(),
    beforeHash: z.string().nullable(),
    afterHash: z.string().nullable(),
    /** Where the two differ; pointers alone, `GET /v1/drift/{id}` has what stands there. */
    fields: z.array(z.object({ pointer: z.string(), change: z.enum(['added', 'removed', 'replaced']) })),
    marks: z.array(DefinitionMark),
    decision: z.object({ verdict: DriftDecision, at: Timestamp, by: z.string().nullable(), reason: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'DriftChange' });
export type DriftChange = z.infer<typeof DriftChange>;

/** `GET /v1/drift/{id}`: a change with what was there before and after. */
export const DriftChangeDetail = DriftChange.extend({
  before: z.unknown().nullable(),
  after: z.unknown().nullable(),
  fields: z.array(FieldChange),
}).meta({ id: 'DriftChangeDetail', examples: [exampleChangeDetail] });
export type DriftChangeDetail = z.infer<typeof DriftChangeDetail>;

/** `GET /v1/drift`, newest first. Times are a half-open interval; without `from` it is the last seven days. */
export const ListDriftQuery = z.strictObject({
  ...pageQuery,
  from: Timestamp.optional(),
  to: Timestamp.optional(),
  server: Reference.optional(),
  change: DriftKind.optional(),
  /** The state that the change led to. */
  state: DefinitionState.optional(),
  /** Name of the definition. */
  name: z.string().min(1).max(2048).optional(),
  /** `false`: changes that nobody has decided on and that wait for it. */
  decided: z.enum(['true', 'false']).optional(),
});
export type ListDriftQuery = z.infer<typeof ListDriftQuery>;

/** `servers`: how many changes match at each server in the whole interval, most first, at most 100 servers. */
export const DriftPage = pageOf(DriftChange)
  .extend({ total: z.number().int(), servers: z.array(z.object({ serverId: Id, server: z.string(), changes: z.number().int() })) })
  .meta({ id: 'DriftPage', examples: [exampleDriftPage] });
export type DriftPage = z.infer<typeof DriftPage>;

/** Which definitions to decide on, over all servers; what is left out says nothing. Only what waits is chosen unless `states` says otherwise. */
export const DefinitionSelection = z.strictObject({
  server: Reference.optional(),
  tag: z.string().min(1).max(64).optional(),
  states: z.array(DefinitionState).min(1).max(5).default(['pending', 'changed']),
  kinds: z.array(PinnedKind).min(1).max(5).optional(),
  /** Exact names, or globs in which `*` stands for any run of characters. */
  names: z.array(z.string().min(1).max(2048)).min(1).max(200).optional(),
});
export type DefinitionSelection = z.infer<typeof DefinitionSelection>;

/**
 * `POST /v1/definitions/approve` and `/reject`: decides on everything that is selected, in one revision. A dry run changes nothing and gives the
 * `hash` of the selection; only a selection that still has the hash is decided on (409 else), so that nothing is approved that nobody looked at.
 */
export const DecideSelection = z
  .union([
    z.strictObject({ select: DefinitionSelection, dryRun: z.literal(true) }),
    z.strictObject({ select: DefinitionSelection, hash: z.string().regex(/^[0-9a-f]{64}$/), reason: Reason }),
  ])
  .meta({ id: 'DecideSelection', examples: [{ select: { server: 'github', names: ['get_*'] }, dryRun: true }] });
export type DecideSelection = z.infer<typeof DecideSelection>;

export const SelectionDecision = z
  .object({
    selected: z.number().int(),
    decided: z.number().int(),
    /** Over ids and hashes of all that is selected. */
    hash: z.string(),
    /** The first thousand of it. */
    definitions: z.array(Definition.pick({ id: true, ref: true, kind: true, name: true, state: true, hash: true, approvedHash: true })),
  })
  .meta({ id: 'SelectionDecision', examples: [exampleSelection] });
export type SelectionDecision = z.infer<typeof SelectionDecision>;

/** `POST /v1/servers/{server}/resume`: ends a suspension. What the server changed meanwhile waits for approval as ever. */
export const ResumeServer = z
  .strictObject({ reason: Reason.min(1) })
  .meta({ id: 'ResumeServer', examples: [{ reason: 'The new release is expected.' }] });
export type ResumeServer = z.infer<typeof ResumeServer>;
