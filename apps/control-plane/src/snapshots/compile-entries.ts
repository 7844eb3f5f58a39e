import { AnswerRulesEntry } from '@portcullis/contracts/answer-rules';
import { ServerCaptureEntry, USUAL_CAPTURE } from '@portcullis/contracts/capture';
import { CallLimitTerms, type CallLimitEntry } from '@portcullis/contracts/limits';
import { GrantRateLimit, PinnedArguments, TargetSelector } from '@portcullis/contracts/grants';
import { OWN_SERVER_ID, OWN_TOOLS } from '@portcullis/contracts/names';
import { runnerServerUrl } from '@portcullis/contracts/runner/heartbeat';
import type { AgentEntry, GrantEntry, ServerEntry, SettingsEntry } from '@portcullis/contracts/snapshot';
import type { AgentKeyRow, AgentRow, CallLimitRow, DefinitionRow, GrantRow, RequestableRow, ServerRow } from './snapshot-rows.js';
import { isServed } from './is-served.js';
import type { Settings } from '@portcullis/contracts/api/policy';
import { parseJson } from '@portcullis/mcp';
import { CredentialSettings, isMadeFor } from '../credentials/stored-credential.js';
import { kindName } from '../credentials/to-credential.js';
import { transportOf } from '../servers/transport-of.js';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

/**
 * Raised whenever the same rows give other bytes than before, and whenever rows can say what an older release would not compile. A control plane that
 * finds policy published under an older number compiles everything again; one that finds a newer number publishes nothing. 2: terms of grants. 3: tools for asking. 4: pins of transports.
 * 5: instructions as they were approved. 6: spent budgets. 7: token issuers and identities. 8: what is kept of calls. 9: credentials.
 * 10: certificates of servers, and exchanged tokens. 11: limits of calls. 12: what is withheld.
 * 13: places of servers of stdio. 14: the schema of certificates. 15: rules on answers.
 * 16: all that is withheld.
 */
export const COMPILE_VERSION = 16;

const DAY_MS = 86_400_000;

const defaultLimits: ServerEntry['limits'] = {
  concurrency: 128,
  firstByteTimeoutMs: 300_000,
  totalTimeoutMs: 600_000,
  resultBytesMax: 10 * 1024 * 1024,
};

// By code unit, never by locale: every process and every run must sort alike.
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A server with its approved definitions, sorted so that the same rows always give the same bytes. */
export function serverEntry(row: ServerRow): ServerEntry {
  return {
    id: row.id,
    slug: row.slug,
    url: row.url,
    // Suspended is as good as disabled: nothing of it is seen, and nothing goes to it.
    enabled: row.enabled && row.suspendedAt === null,
    era: row.protocol === 'auto' ? row.era : row.protocol,
    ...(row.protocol === 'auto' && row.bothEras && { bothEras: true }),
    // Unsaid where it is the usual one, so that a node which knows of no other understands it.
    ...(transportOf(row) === 'sse' && { transport: 'sse' as const }),
    tags: row.tags.toSorted(byText),
    environment: row.environment,
    instructions: approvedInstructions(row),
    capabilitiesJson: row.capabilitiesJson,
    limits: defaultLimits,
    definitions: row.definitions.flatMap((definition) => definitionEntry(definition, row)).toSorted(byKindThenName),
    ...withheldEntries(row),
    ...(row.auditCapture !== null && { capture: ServerCaptureEntry.parse(row.auditCapture) }),
    ...(row.answerRules !== null && { answerRules: AnswerRulesEntry.parse(row.answerRules) }),
    ...(row.transportPin === 'stdio' ? placeEntry(row) : { ...credentialEntries(row), ...tlsEntry(row) }),
    ...limitEntries(row.limits),
  };
}

/** Unsaid where there are none, so that a node which knows of no limits understands the rest. */
function limitEntries(rows: readonly CallLimitRow[] = []): Pick<ServerEntry, 'callLimits'> {
  return rows.length === 0 ? {} : { callLimits: rows.map(limitEntry).toSorted((a, b) => byText(a.id, b.id)) };
}

const limitEntry = ({ id, terms, tools }: CallLimitRow): CallLimitEntry => ({
  id,
  terms: CallLimitTerms.parse(terms),
  ...(tools.length > 0 && { tools: tools.toSorted(byText) }),
});

/** Without a runner the address leads nowhere, and a node says so. What its program finds in its environment is no node's business. */
function placeEntry({ slug, hosting }: ServerRow): Pick<ServerEntry, 'url' | 'place'> | undefined {
  const { place, placeAddress } = hosting ?? { place: null, placeAddress: null };
  if (place === null || placeAddress === null) return undefined;
  const sealed = { runnerId: place.id, version: place.accessVersion, sealed: place.accessTokenForNodes };
  return { url: runnerServerUrl(placeAddress, slug), place: sealed };
}

/** What was made for another origin is named, so that nothing is called without it, and stays here: a node knows no such kind. */
function credentialEntries({ url, credentials = [] }: ServerRow): Pick<ServerEntry, 'credentials'> {
  if (credentials.length === 0) return {};
  const entries = credentials.map(({ id, version, kind, agentId, settings, sealedForNodes }) => {
    const isOfUse = isMadeFor(CredentialSettings.parse(settings), url);
    const sealed = isOfUse ? { kind: kindName(kind), sealed: sealedForNodes } : { kind: 'moved', sealed: '' };
    return { id, version, ...sealed, ...(agentId !== null && { agentId }) };
  });
  return { credentials: entries.toSorted((a, b) => byText(a.id, b.id)) };
}

function tlsEntry({ url, tls }: ServerRow): Pick<ServerEntry, 'tls'> {
  if (tls == null) return {};
  const { id, version, ca, certificate, sealed } = tls;
  if (!isMadeFor(tls, url)) return { tls: { id, version, isMoved: true } };
  return { tls: { id, version, ...(ca !== null && { ca }), ...(certificate !== null && { certificate }), ...(sealed !== null && { sealed }) } };
}

const byKindThenName = (a: Named, b: Named): number => byText(a.kind, b.kind) || byText(a.name, b.name);
type Named = NonNullable<ServerEntry['withheld']>[number];

function withheldEntries(server: ServerRow): Pick<ServerEntry, 'withheld'> {
  const rows = server.definitions.filter((row) => row.state === 'changed' && row.approvedHash !== null && !isServed(row, server));
  const withheld = rows.flatMap(({ kind, name }) => (kind === 'instructions' ? [] : [{ kind, name }]));
  return withheld.length === 0 ? {} : { withheld: withheld.toSorted(byKindThenName) };
}

function definitionEntry(row: DefinitionRow, server: ServerRow): ServerEntry['definitions'] {
  if (row.kind === 'instructions' || !isServed(row, server) || row.approvedJson === null || row.approvedHash === null) return [];
  return [{ kind: row.kind, name: row.name, hash: row.approvedHash, json: Buffer.from(row.approvedJson).toString('utf8') }];
}

function approvedInstructions(server: ServerRow): string | null {
  const row = server.definitions.find(({ kind }) => kind === 'instructions');
  if (row === undefined || !isServed(row, server) || row.approvedJson === null) return null;
  return z.object({ instructions: z.string() }).parse(parseJson(Buffer.from(row.approvedJson).toString('utf8'))).instructions;
}

/** An agent with its live keys. A key a day past its end is left out; until then the node tells its owner that it has expired. */
export function agentEntry(row: AgentRow, now: Date): AgentEntry {
  return {
    id: row.id,
    slug: row.slug,
    enabled: row.enabled,
    toolNameStyle: row.toolNameStyle === 'double_underscore' ? 'double-underscore' : row.toolNameStyle,
    groupIds: row.memberships.map(({ groupId }) => groupId).toSorted(byText),
    keys: row.keys
      .filter((key) => key.revokedAt === null && (key.expiresAt === null || key.expiresAt.getTime() > now.getTime() - DAY_MS))
      .map(keyEntry)
      .toSorted((a, b) => byText(a.id, b.id)),
    ...(row.identities && row.identities.length > 0 && { identities: row.identities.map(identityEntry).toSorted(byIdentity) }),
    ...(row.budgetSpentUntil && row.budgetSpentUntil > now && { budgetSpentUntil: row.budgetSpentUntil.getTime() }),
    ...limitEntries(row.limits),
  };
}

type IdentityEntry = NonNullable<AgentEntry['identities']>[number];
const identityEntry = ({ issuer, subject }: IdentityEntry): IdentityEntry => ({ issuer, subject });
const byIdentity = (a: IdentityEntry, b: IdentityEntry): number => byText(a.issuer, b.issuer) || byText(a.subject, b.subject);

function keyEntry(row: AgentKeyRow): AgentEntry['keys'][number] {
  return { id: row.id, hash: row.hash, pepperId: row.pepperId, expiresAt: row.expiresAt?.getTime() ?? null };
}

/** A grant as nodes decide by it: who wrote it and why stays in the control plane, and terms are unsaid where there are none. */
export function grantEntry(row: GrantRow): GrantEntry {
  return {
    id: row.id,
    subject: grantSubject(row),
    target: row.serverId === null ? { selector: TargetSelector.parse(row.selector) } : { serverId: row.serverId },
    kind: row.kind,
    names: row.names.toSorted(byText),
    effect: row.effect,
    notBefore: row.notBefore?.getTime() ?? null,
    expiresAt: row.expiresAt?.getTime() ?? null,
    ...(row.condition !== null && { condition: row.condition }),
    ...(row.pinned !== null && { pinned: PinnedArguments.parse(row.pinned) }),
    ...(row.rateLimit !== null && { rateLimit: GrantRateLimit.parse(row.rateLimit) }),
    ...(row.mode === 'shadow' && { mode: row.mode }),
  };
}

/** Whoever may ask for something is granted the gateway's own tools for it; a node that has none finds a grant of nothing. */
export function askingEntry(row: RequestableRow): GrantEntry {
  return {
    id: row.id,
    subject: grantSubject(row),
    target: { serverId: OWN_SERVER_ID },
    kind: 'tools',
    names: Object.values(OWN_TOOLS).toSorted(byText),
    effect: 'allow',
    notBefore: null,
    expiresAt: null,
  };
}

function grantSubject(row: Pick<GrantRow, 'id' | 'agentId' | 'groupId'>): GrantEntry['subject'] {
  if (row.agentId !== null) return { agentId: row.agentId };
  if (row.groupId !== null) return { groupId: row.groupId };
  throw new Error(`The grant ${row.id} has no subject`);
}

/** The installation's settings in the units of a node. */
export function settingsEntry(settings: Settings, resultUnits: NonNullable<SettingsEntry['resultUnits']> = []): SettingsEntry {
  return {
    staleAfterMs: settings.staleAfterSeconds * 1000,
    auditRelease: settings.auditRelease,
    auditLists: settings.auditLists,
    auditArgumentBytesMax: settings.auditArgumentBytesMax,
    ...(settings.publicUrl !== null && { publicUrl: settings.publicUrl }),
    ...(settings.tokenIssuers.length > 0 && { tokenIssuers: settings.tokenIssuers }),
    ...(resultUnits.length > 0 && { resultUnits }),
    ...(!isDeepStrictEqual(settings.auditCapture, USUAL_CAPTURE) && { capture: settings.auditCapture }),
  };
}
