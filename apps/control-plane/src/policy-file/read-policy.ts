import type { Requestable } from '@portcullis/contracts/api/access-requests';
import type { Grant } from '@portcullis/contracts/api/grants';
import type { Limit } from '@portcullis/contracts/api/limits';
import type { FileGrant, FileLimit, FileRequestable, PolicyFile } from '@portcullis/contracts/api/policy-file';
import type { Transaction } from '@portcullis/database';
import { toRequestable } from '../access-requests/requestable.service.js';
import { toAgent } from '../agents/agents.service.js';
import { byText } from '../drafts/access-diff.js';
import { toGrant } from '../grants/to-grant.js';
import { toLimit } from '../limits/to-limit.js';
import { serverAnswerRulesOf } from '../servers/server-answer-rules.js';
import { serverCaptureOf } from '../servers/server-capture.js';
import { readSettings } from '../settings/settings.repository.js';

/** Policy as it is, in the shape of a file with everything said. */
export interface WholePolicy extends Required<PolicyFile> {
  readonly grants: (FileGrant & { id: string })[];
  readonly requestable: (FileRequestable & { id: string })[];
  readonly limits: (FileLimit & { id: string })[];
}

export async function readPolicy(tx: Transaction): Promise<WholePolicy> {
  const servers = await tx.server.findMany({
    orderBy: { slug: 'asc' },
    select: { slug: true, tags: true, environment: true, protocol: true, enabled: true, auditCapture: true, answerRules: true },
  });
  const withGroups = { memberships: { select: { group: { select: { slug: true } } } } } as const;
  const agents = (await tx.agent.findMany({ include: withGroups, orderBy: { slug: 'asc' } })).map(toAgent);
  const groups = await tx.group.findMany({ include: { members: { select: { agent: { select: { slug: true } } } } } });
  const slugs = { agent: { select: { slug: true } }, group: { select: { slug: true } }, server: { select: { slug: true } } } as const;
  const grants = (await tx.grant.findMany({ include: slugs })).map((row) => fileGrant(toGrant(row)));
  const rules = (await tx.requestable.findMany({ include: slugs })).map((row) => fileRequestable(toRequestable(row)));
  const limits = (await tx.callLimit.findMany({ include: slugs })).map((row) => fileLimit(toLimit(row)));
  return {
    version: 1,
    settings: await readSettings(tx),
    servers: record(servers, ({ slug: _slug, tags, ...server }) => ({
      ...server,
      tags: tags.toSorted(byText),
      auditCapture: serverCaptureOf(server),
      answerRules: serverAnswerRulesOf(server),
    })),
    agents: record(agents, ({ name, owner, toolNameStyle, enabled }) => ({ name, owner, toolNameStyle, enabled })),
    groups: record(groups, ({ name, members }) => ({ name, members: members.map(({ agent }) => agent.slug).toSorted(byText) })),
    grants: grants.toSorted((a, b) => byText(placeOf(a), placeOf(b))),
    requestable: rules.toSorted((a, b) => byText(placeOf(a), placeOf(b))),
    limits: limits.toSorted((a, b) => byText(placeOfLimit(a), placeOfLimit(b))),
  };
}

/** By code unit, so that the file is the same wherever it is written. */
function record<Row extends { slug: string }, Value>(rows: readonly Row[], value: (row: Row) => Value): Record<string, Value> {
  return Object.fromEntries(rows.toSorted((a, b) => byText(a.slug, b.slug)).map((row) => [row.slug, value(row)]));
}

function fileGrant(grant: Grant): FileGrant & { id: string } {
  const { id, subject, server, selector, kind, names, effect, condition, pinned, rateLimit, mode, notBefore, expiresAt, reason } = grant;
  const target = server === null ? (selector === null ? {} : { selector }) : { server };
  const terms = { kind, names: names.toSorted(byText), effect, condition, pinned, rateLimit, mode, notBefore, expiresAt };
  return { id, ...subject, ...target, ...terms, ...(reason === null ? {} : { reason }) };
}

function fileRequestable(rule: Requestable): FileRequestable & { id: string } {
  const { id, subject, server, selector, kind, names, durationSecondsMax, reason } = rule;
  const target = server === null ? (selector === null ? {} : { selector }) : { server };
  return { id, ...subject, ...target, kind, names: names.toSorted(byText), durationSecondsMax, ...(reason === null ? {} : { reason }) };
}

function fileLimit({ id, subject, terms, reason }: Limit): FileLimit & { id: string } {
  const { tools, ...whose } = { tools: null, ...subject };
  return { id, ...whose, ...(tools === null ? {} : { tools: tools.toSorted(byText) }), terms, ...(reason === null ? {} : { reason }) };
}

const placeOf = ({ agent = '', group = '', server = '', selector, kind, names, id, ...rest }: FileGrant | FileRequestable): string =>
  JSON.stringify([agent, group, server, selector ?? '', kind, 'effect' in rest ? rest.effect : '', names, id]);

const placeOfLimit = ({ agent = '', group = '', server = '', tools = [], terms, id }: FileLimit): string =>
  JSON.stringify([agent, group, server, tools, terms, id]);
