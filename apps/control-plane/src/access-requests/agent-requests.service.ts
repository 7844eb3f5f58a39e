import { Inject, Injectable } from '@nestjs/common';
import { REQUEST_SECONDS_MIN } from '@portcullis/contracts/api/access-requests';
import { TargetSelector } from '@portcullis/contracts/grants';
import type { NodeAccessAnswer, NodeAccessFound, NodeAccessLookup, NodeAccessRequest, OwnAccessRequest } from '@portcullis/contracts/node';
import { PrismaClient, type AccessRequest as Row, type Requestable, type Server, type Transaction } from '@portcullis/database';
import { globCovers, selectsDefinition, selectsServer } from '@portcullis/policy';
import { RecordedChanges, type RecordedChange } from '../changes/recorded-changes.js';
import { requestSubject } from './access-requests.service.js';
import { describedRequest, fileRequest } from './file-request.js';
import { rulesFor } from './requestable.repository.js';
import { statusOf } from './to-access-request.js';

const SHOWN_MAX = 20;

type Asking = Pick<NodeAccessRequest, 'reason' | 'callId'> & { readonly durationSeconds: number };

/** What agents ask for themselves, through the nodes. Nothing it answers tells what exists apart from what does not. */
@Injectable()
export class AgentRequestsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
  ) {}

  async file({ agentId, tool, reason, durationSeconds, callId }: NodeAccessRequest): Promise<NodeAccessAnswer> {
    const agent = await this.database.agent.findUnique({ where: { id: agentId }, select: { id: true, slug: true, enabled: true } });
    if (agent === null || !agent.enabled) return { outcome: 'refused' };
    return this.changes.apply<NodeAccessAnswer>({ name: `agent/${agent.slug}` }, 'access-request.filed', async (tx) => {
      const found = await requestableTool(tx, agentId, tool);
      if (found === undefined) return { result: { outcome: 'refused' }, unchanged: true };
      const asking: Asking = { reason, callId, durationSeconds: Math.max(REQUEST_SECONDS_MIN, Math.min(durationSeconds, found.secondsMax)) };
      return this.fileIn(tx, agent, { ...found, asking });
    });
  }

  async find({ agentId, id }: NodeAccessLookup): Promise<NodeAccessFound> {
    const where = { agentId, ...(id === undefined ? {} : { id }) };
    const rows = await this.database.accessRequest.findMany({ where, orderBy: { id: 'desc' }, take: SHOWN_MAX });
    const grants = await this.database.grant.findMany({ where: { id: { in: rows.flatMap(({ grantId }) => grantId ?? []) } } });
    const ends = new Map(grants.map((grant) => [grant.id, grant.expiresAt]));
    return { requests: rows.map((row) => toOwnRequest(row, ends.get(row.grantId ?? '') ?? null)) };
  }

  private async fileIn(
    tx: Transaction,
    agent: { id: string; slug: string },
    { server, name, asking }: RequestableTool & { asking: Asking },
  ): Promise<RecordedChange<NodeAccessAnswer>> {
    const { reason, durationSeconds, callId } = asking;
    const filed = await fileRequest(tx, { agent, server, kind: 'tools', names: [name], durationSeconds, reason, filedBy: null });
    if (typeof filed === 'string') return { result: { outcome: filed }, unchanged: true };
    const result = { outcome: 'filed' as const, request: toOwnRequest(filed.row, null) };
    if (!filed.isNew) return { result, unchanged: true };
    return { result, subject: requestSubject(filed.row), change: { ...describedRequest(filed.row), callId }, requestId: filed.row.id };
  }
}

interface RequestableTool {
  readonly server: Pick<Server, 'id' | 'slug'>;
  readonly name: string;
}

/** The tool that a name means, where some rule lets the agent ask for it, and for how long at most. */
async function requestableTool(tx: Transaction, agentId: string, tool: string): Promise<(RequestableTool & { secondsMax: number }) | undefined> {
  // A slug holds none of the separators, so the first one ends it, however names are written for this agent.
  const [, slug, name] = /^([a-z0-9-]{1,32}?)(?:__|:|\.)(.{1,2048})$/s.exec(tool) ?? [];
  if (slug === undefined || name === undefined || name.includes('*') || name.includes('\0')) return undefined;
  const rules = await rulesFor(tx, agentId);
  const server = await tx.server.findUnique({ where: { slug }, select: { id: true, slug: true, tags: true, environment: true } });
  if (server === null) return undefined;
  const named = rules.filter((rule) => rule.kind === 'tools' && isAbout(rule, server) && rule.names.some((each) => globCovers(each, name)));
  const matching = await selecting(tx, named, { server, name });
  if (matching.length === 0) return undefined;
  return { server, name, secondsMax: Math.max(...matching.map(({ durationSecondsMax }) => durationSecondsMax)) };
}

/** Of these rules those that are about what the tool says of itself, or about all tools. */
async function selecting(tx: Transaction, rules: readonly Requestable[], { server, name }: RequestableTool): Promise<readonly Requestable[]> {
  const annotationsOf = ({ selector }: Requestable) => (selector === null ? undefined : TargetSelector.parse(selector).annotations);
  if (rules.every((rule) => annotationsOf(rule) === undefined)) return rules;
  const where = { serverId_kind_name: { serverId: server.id, kind: 'tool' as const, name } };
  const approved = (await tx.definition.findUnique({ where, select: { approvedJson: true } }))?.approvedJson;
  const facts = approved ? { json: Buffer.from(approved).toString('utf8') } : undefined;
  return rules.filter((rule) => {
    const annotations = annotationsOf(rule);
    return annotations === undefined || (facts !== undefined && selectsDefinition({ annotations }, facts));
  });
}

function isAbout({ serverId, selector }: Requestable, server: Pick<Server, 'id' | 'tags' | 'environment'>): boolean {
  return serverId === null ? selectsServer(TargetSelector.parse(selector), server) : serverId === server.id;
}

function toOwnRequest(row: Row, grantEnd: Date | null): OwnAccessRequest {
  return {
    id: row.id,
    tools: row.names.map((name) => `${row.server}:${name}`),
    status: statusOf(row),
    durationSeconds: row.durationSeconds,
    createdAt: row.createdAt.toISOString(),
    decidedAt: row.decidedAt?.toISOString() ?? null,
    decisionReason: row.decisionReason,
    accessUntil: grantEnd?.toISOString() ?? null,
  };
}
