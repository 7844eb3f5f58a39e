import { Inject, Injectable } from '@nestjs/common';
import type { AccessPage, AccessQuery } from '@portcullis/contracts/api/agents';
import type { ExplainRequest, ExplainResponse } from '@portcullis/contracts/api/policy';
import { PrismaClient } from '@portcullis/database';
import { explain, type ExplainFacts } from '@portcullis/policy';
import { z } from 'zod';
import { decodeCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { LimitUses } from '../limits/limit-uses.js';
import { accessHints } from './access-hints.js';
import { compareKeys, effectiveAccess } from './effective-access.js';
import { explainedTarget } from './explained-target.js';
import {
  asksAnnotations,
  atOneRevision,
  currentRevision,
  findAgentEntry,
  findGrantedServers,
  findServerId,
  findServers,
  grantsOf,
  groupSlugs,
} from './policy.repository.js';
import { spentLimits } from './spent-limits.js';

const AccessCursor = z.tuple([z.string(), z.string()]);

/** What policy says now, by the same pure decision that nodes make. */
@Injectable()
export class PolicyService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(LimitUses) private readonly uses: LimitUses,
  ) {}

  async access(reference: string, { kind, cursor, limit }: AccessQuery): Promise<AccessPage> {
    const after = decodeCursor(cursor, AccessCursor);
    const facts = await atOneRevision(this.database, async (tx) => {
      const agent = await findAgentEntry(tx, reference);
      if (agent === null) throw notFound('agent');
      const grants = await grantsOf(tx, agent);
      const servers = await findGrantedServers(tx, grants);
      return { agent, grants, servers, groups: await groupSlugs(tx, agent.groupIds), now: Date.now() };
    });
    const all = effectiveAccess(facts).filter((access) => kind === undefined || access.kind === kind);
    const rest = after === undefined ? all : all.filter((access) => compareKeys([access.kind, access.ref], after) > 0);
    const page = pageFrom(
      rest.slice(0, limit + 1),
      limit,
      (access) => access,
      (access) => [access.kind, access.ref],
    );
    return { ...page, hints: accessHints(facts) };
  }

  /** An unknown agent or server is an answer, not an error: that is what the question is asked for. */
  async explain({ agent: reference, target, kind, arguments: args, task }: ExplainRequest): Promise<ExplainResponse> {
    const colon = target.indexOf(':');
    if (colon < 1 || colon === target.length - 1)
      throw new ProblemError('validation', undefined, [{ pointer: '/target', detail: 'must be server:name' }]);
    const named = { server: target.slice(0, colon), name: target.slice(colon + 1) };
    return atOneRevision(this.database, async (tx) => {
      const agent = await findAgentEntry(tx, reference);
      const serverId = await findServerId(tx, named.server);
      const grants = agent === null ? [] : await grantsOf(tx, agent);
      const [server] = serverId === null ? [] : await findServers(tx, [serverId], asksAnnotations(grants));
      const known = { agent, grants, args, now: Date.now() };
      const facts: ExplainFacts = {
        ...known,
        named: { agent: agent?.slug ?? reference, server: named.server },
        server: server ?? null,
        task,
        ...explainedTarget(server, { kind, name: named.name }, known),
      };
      const { effect, visible, grantId, steps, hints } = explain({ ...facts, spentLimits: await spentLimits(tx, this.uses, facts) });
      return { effect, visible, grantId, steps: [...steps], hints: [...hints], revision: await currentRevision(tx) };
    });
  }
}
