import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { type ApplyRequest, ApplyResult, Preview, type PreviewQuery, type PreviewRequest } from '@portcullis/contracts/api/drafts';
import { LeastPrivilegePage, type LeastPrivilegeQuery } from '@portcullis/contracts/api/least-privilege';
import { type CreateGrant, Grant, GrantPage, type ListGrantsQuery, type UpdateGrant } from '@portcullis/contracts/api/grants';
import {
  type CreateEpoch,
  Epoch,
  type ExplainRequest,
  ExplainResponse,
  type RevertRevision,
  RevisionDetail,
  RevisionPage,
  Settings,
  type UpdateSettings,
} from '@portcullis/contracts/api/policy';
import { ShadowReport, type ShadowReportQuery } from '@portcullis/contracts/api/shadow-report';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Changed, ChangeOptions, Send } from './send.js';

const yaml = 'application/yaml';

/** Grants, by id. */
export interface GrantsApi {
  list: ListRoute<Partial<ListGrantsQuery>, z.output<typeof GrantPage>>;
  create(grant: z.input<typeof CreateGrant>, options?: ChangeOptions): Promise<Changed<Grant>>;
  read(id: string): Promise<Grant>;
  update(id: string, change: UpdateGrant, options?: ChangeOptions): Promise<Changed<Grant>>;
  delete(id: string, options?: ChangeOptions): Promise<Changed<void>>;
  /** What a grant in the mode `shadow` would have changed. */
  shadowReport(id: string, query?: ShadowReportQuery): Promise<ShadowReport>;
}

export function grantsApi(send: Send): GrantsApi {
  return {
    list: listRoute(send, 'GET /v1/grants', GrantPage),
    create: (body, query) => send({ route: 'POST /v1/grants', query, body, answer: Grant }),
    read: async (id) => (await send({ route: 'GET /v1/grants/{id}', at: [id], answer: Grant })).value,
    update: (id, body, query) => send({ route: 'PATCH /v1/grants/{id}', at: [id], query, body, answer: Grant }),
    delete: (id, query) => send({ route: 'DELETE /v1/grants/{id}', at: [id], query, answer: z.void() }),
    shadowReport: async (id, query) => (await send({ route: 'GET /v1/grants/{id}/shadow-report', at: [id], query, answer: ShadowReport })).value,
  };
}

/** Why the policy answers as it does. */
export interface PolicyApi {
  explain(question: z.input<typeof ExplainRequest>): Promise<ExplainResponse>;
  /** Who would gain and lose what by these changes. Changes nothing. */
  preview(draft: z.input<typeof PreviewRequest>, query?: Partial<PreviewQuery>): Promise<Preview>;
  /** All of these changes in one revision, or none; with `dryRun` only what they would change. */
  apply(draft: z.input<typeof ApplyRequest>, options?: RehearsalOptions): Promise<Changed<ApplyResult>>;
  /** Grants and agents that allow more than is used, each with a draft that changes it. */
  leastPrivilege: ListRoute<Partial<LeastPrivilegeQuery>, LeastPrivilegePage>;
  /** All of policy as YAML. */
  export(): Promise<string>;
  /** Makes policy say what the YAML says, in one revision. */
  import(file: string, options?: ImportOptions): Promise<Changed<ApplyResult>>;
}

/** `prune` deletes what the sections of the file leave out. */
export interface ImportOptions extends RehearsalOptions {
  prune?: boolean | undefined;
  reason?: string | undefined;
}

/** A change that can be rehearsed: `dryRun` tells what would change, and changes nothing. */
export interface RehearsalOptions extends ChangeOptions {
  dryRun?: boolean | undefined;
}

export function policyApi(send: Send): PolicyApi {
  return {
    explain: async (body) => (await send({ route: 'POST /v1/policy/explain', body, answer: ExplainResponse })).value,
    preview: async (body, query) => (await send({ route: 'POST /v1/policy/preview', query, body, answer: Preview })).value,
    apply: (body, query) => send({ route: 'POST /v1/policy/apply', query, body, answer: ApplyResult }),
    leastPrivilege: listRoute(send, 'GET /v1/policy/least-privilege', LeastPrivilegePage),
    export: async () => (await send({ route: 'GET /v1/policy/export', answer: z.string(), takes: yaml })).value,
    import: (body, query) => send({ route: 'POST /v1/policy/import', query, body, answer: ApplyResult, sends: yaml }),
  };
}

/** Every change of policy, newest first. */
export interface RevisionsApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof RevisionPage>>;
  read(revision: number): Promise<RevisionDetail>;
  /** Undoes all that the revision did; refused (409) where later changes are in the way. */
  revert(revision: number, why: RevertRevision, options?: ChangeOptions): Promise<Changed<RevisionDetail>>;
  /** What reverting would change, and who would gain and lose what by it. Changes nothing. */
  rehearseRevert(revision: number, why: RevertRevision): Promise<ApplyResult>;
}

export function revisionsApi(send: Send): RevisionsApi {
  return {
    list: listRoute(send, 'GET /v1/revisions', RevisionPage),
    read: async (revision) => (await send({ route: 'GET /v1/revisions/{revision}', at: [String(revision)], answer: RevisionDetail })).value,
    revert: (revision, body, query) =>
      send({ route: 'POST /v1/revisions/{revision}/revert', at: [String(revision)], query, body, answer: RevisionDetail }),
    rehearseRevert: async (revision, body) =>
      (await send({ route: 'POST /v1/revisions/{revision}/revert', at: [String(revision)], query: { dryRun: true }, body, answer: ApplyResult }))
        .value,
  };
}

/** What holds for all nodes. */
export interface SettingsApi {
  read(): Promise<Settings>;
  update(change: UpdateSettings, options?: ChangeOptions): Promise<Changed<Settings>>;
}

export function settingsApi(send: Send): SettingsApi {
  return {
    read: async () => (await send({ route: 'GET /v1/settings', answer: Settings })).value,
    update: (body, query) => send({ route: 'PATCH /v1/settings', query, body, answer: Settings }),
  };
}

/** Which line of revisions counts. */
export interface EpochsApi {
  read(): Promise<Epoch>;
  /** Says that the policy in the database counts, after it was restored from a backup. */
  create(epoch: CreateEpoch, options?: ChangeOptions): Promise<Changed<Epoch>>;
}

export function epochsApi(send: Send): EpochsApi {
  return {
    read: async () => (await send({ route: 'GET /v1/epochs/current', answer: Epoch })).value,
    create: (body, query) => send({ route: 'POST /v1/epochs', query, body, answer: Epoch }),
  };
}
