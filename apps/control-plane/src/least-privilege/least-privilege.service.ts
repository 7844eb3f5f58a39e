import { Inject, Injectable } from '@nestjs/common';
import type { Grant } from '@portcullis/contracts/api/grants';
import type { LeastPrivilegeFinding, LeastPrivilegePage, LeastPrivilegeQuery } from '@portcullis/contracts/api/least-privilege';
import { PrismaClient, type Prisma, type Transaction } from '@portcullis/database';
import { AgentsService } from '../agents/agents.service.js';
import { tookTooLong, withinFiveSeconds } from '../audit/audit.repository.js';
import { AccessDiff } from '../drafts/access-diff.js';
import { concernOfAgents } from '../drafts/concern.js';
import { readView } from '../drafts/read-view.js';
import { grantsWhere } from '../grants/grants.repository.js';
import { toGrant } from '../grants/to-grant.js';
import { decodeCursor, encodeCursor, IdCursor, TextCursor } from '../http/paging.js';
import { ProblemError } from '../http/problem.js';
import { narrowed } from './narrowed.js';
import { usedCounts, usesOf, type Use } from './usage.repository.js';

/** Rows that one page looks at; what is in order is no finding, so a page may be short. */
const LOOKED_AT_MAX = 200;
const OWN_GRANTS_MAX = 20_000;

interface Looking {
  readonly since: Date;
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly agentId: string | undefined;
}

type Page = Pick<LeastPrivilegePage, 'items' | 'nextCursor'>;

/** Who may do more than they do, as the audit trail tells, each with a draft that would change it. */
@Injectable()
export class LeastPrivilegeService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(AgentsService) private readonly agents: AgentsService,
  ) {}

  async report({ days, kind, agent, limit, cursor }: LeastPrivilegeQuery): Promise<LeastPrivilegePage> {
    const agentId = agent === undefined ? undefined : (await this.agents.find(this.database, agent)).id;
    const looking = { since: new Date(Date.now() - days * 86_400_000), limit, cursor, agentId };
    try {
      const look = kind === 'agents' ? overholding : kind === 'broad' ? broad : unused;
      return { ...(await withinFiveSeconds(this.database, (tx) => look(tx, looking))), days };
    } catch (error) {
      if (tookTooLong(error))
        throw new ProblemError('unavailable', 'The report took too long. Ask for fewer days, or for one agent.', [], { cause: error });
      throw error;
    }
  }
}

const unused = (tx: Transaction, looking: Looking): Promise<Page> =>
  grantFindings(tx, looking, (grant, uses) => (uses.length > 0 ? undefined : { kind: 'unused', grant, draft: { changes: narrowed(grant, uses) } }));

const broad = (tx: Transaction, looking: Looking): Promise<Page> =>
  grantFindings(tx, looking, (grant, uses) => {
    const changes = uses.length === 0 ? [] : narrowed(grant, uses);
    if (changes.length === 0) return undefined;
    const calls = uses.reduce((sum, use) => sum + use.calls, 0);
    const lastUsedAt = new Date(Math.max(...uses.map(({ lastAt }) => lastAt.getTime()))).toISOString();
    return { kind: 'broad', grant, used: uses.map(({ server, name }) => `${server}:${name}`), calls, lastUsedAt, draft: { changes } };
  });

const idsOf = (grants: readonly Grant[]): string[] => grants.map(({ id }) => id);

type Finder = (grant: Grant, uses: readonly Use[]) => LeastPrivilegeFinding | undefined;

/** Grants in force that allow something and are older than the days looked at, in order of id. */
async function grantFindings(tx: Transaction, { since, limit, cursor, agentId }: Looking, find: Finder): Promise<Page> {
  let [after] = decodeCursor(cursor, IdCursor) ?? [];
  const of = agentId === undefined ? {} : { agentId };
  const items: LeastPrivilegeFinding[] = [];
  const grants = (await grantsWhere(tx, { ...inForce(since), ...of, ...(after === undefined ? {} : { id: { gt: after } }) }, LOOKED_AT_MAX)).map(
    toGrant,
  );
  const uses = await usesOf(tx, idsOf(grants), since);
  for (const grant of grants) {
    if (items.length === limit) return { items, nextCursor: encodeCursor([after ?? '']) };
    const found = find(grant, uses.get(grant.id) ?? []);
    if (found !== undefined) items.push(found);
    after = grant.id;
  }
  return { items, nextCursor: grants.length < LOOKED_AT_MAX || after === undefined ? null : encodeCursor([after]) };
}

const inForce = (since: Date): Prisma.GrantWhereInput => ({
  effect: 'allow',
  mode: 'enforce',
  createdAt: { lt: since },
  OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }],
});

/** Agents in order of slug that used less than they hold. */
async function overholding(tx: Transaction, { since, limit, cursor, agentId }: Looking): Promise<Page> {
  const [after] = decodeCursor(cursor, TextCursor) ?? [];
  const where = { ...(agentId === undefined ? {} : { id: agentId }), ...(after === undefined ? {} : { slug: { gt: after } }) };
  const agents = await tx.agent.findMany({ where, select: { id: true, slug: true }, orderBy: { slug: 'asc' }, take: limit });
  const ids = agents.map(({ id }) => id);
  const view = await readView(tx, await concernOfAgents(tx, ids));
  const held = new AccessDiff({ ...view, agents: [], grants: [] }, view, Date.now());
  const used = await usedCounts(tx, ids, since);
  const own = (await grantsWhere(tx, { ...inForce(since), agentId: { in: ids } }, OWN_GRANTS_MAX)).map((row) => ({
    agentId: row.agentId,
    grant: toGrant(row),
  }));
  const uses = await usesOf(tx, idsOf(own.map(({ grant }) => grant)), since);
  const items = agents.flatMap(({ id, slug }): LeastPrivilegeFinding[] => {
    const counts = { held: held.countsOf(id).gained, used: used.get(id) ?? 0 };
    if (counts.held <= counts.used) return [];
    const changes = own.filter(({ agentId: of }) => of === id).flatMap(({ grant }) => narrowed(grant, uses.get(grant.id) ?? []));
    return [{ kind: 'agents', agent: slug, ...counts, draft: changes.length === 0 ? null : { changes } }];
  });
  const last = agents.at(-1);
  return { items, nextCursor: agents.length < limit || last === undefined ? null : encodeCursor([last.slug]) };
}
