import { Inject, Injectable } from '@nestjs/common';
import type { MoveServer, RestartServer, ServerLog } from '@portcullis/contracts/api/launch-profiles';
import { PrismaClient, type Runner, type Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { notFound, ProblemError } from '../http/problem.js';
import { chooseRunner } from '../runners/choose-runner.js';
import { assign, loadsOf } from '../runners/hosting.repository.js';
import { isLive } from '../runners/is-live.js';
import { serverSubject, ServersService } from '../servers/servers.service.js';

/** What operators see of, and say to, the children of a server of stdio. */
@Injectable()
export class HostingService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(ServersService) private readonly servers: ServersService,
  ) {}

  async log(reference: string): Promise<ServerLog> {
    const { id: serverId, slug } = await this.servers.find(this.database, reference);
    const row = await this.database.hosting.findUnique({ where: { serverId }, select: { log: true, loggedAt: true } });
    return { server: slug, text: row?.log ?? '', at: row?.loggedAt?.toISOString() ?? null };
  }

  /** Refuses (409) a server of which nothing was ever approved. */
  async restart(author: Author, reference: string, { reason }: RestartServer): Promise<void> {
    await this.changes.apply(author, 'server.restarted', async (tx) => {
      const server = await this.servers.find(tx, reference);
      const { count } = await tx.hosting.updateMany({ where: { serverId: server.id }, data: { generation: { increment: 1 } } });
      if (count === 0) throw new ProblemError('conflict', `Nothing is started for ${server.slug}.`);
      return { result: undefined, subject: serverSubject(server), change: { reason: reason ?? author.reason ?? null } };
    });
  }

  /** Refuses (409) a server that nobody hosts, a runner that hosts it already or does not live, and (404) one that there is not. */
  async move(author: Author, reference: string, { runner: to, reason }: MoveServer): Promise<void> {
    await this.changes.apply(author, 'server.moved', async (tx) => {
      const server = await this.servers.find(tx, reference);
      const hosting = await tx.hosting.findUnique({ where: { serverId: server.id }, select: { runnerId: true, runner: { select: { name: true } } } });
      const before = hosting?.runnerId ?? null;
      if (before === null) throw new ProblemError('conflict', `No runner hosts ${server.slug}.`);
      const runner = await this.runnerFor(tx, { id: server.id, before }, to);
      if (!(await assign(tx, server.id, { before, runnerId: runner.id }))) throw new ProblemError('conflict', `${runner.name} hosts it already.`);
      const change = { from: hosting?.runner?.name ?? null, to: runner.name, reason: reason ?? author.reason ?? null };
      return { result: undefined, subject: serverSubject(server), change };
    });
  }

  private async runnerFor(tx: Transaction, server: { readonly id: string; readonly before: string }, to: string | undefined): Promise<Runner> {
    const now = new Date();
    const all = await tx.runner.findMany();
    const live = all.filter((runner) => runner.address !== null && isLive(runner, now));
    if (to !== undefined) {
      const named = all.find(({ id, name }) => id === to || name === to);
      if (named === undefined) throw notFound('runner');
      if (!live.includes(named)) throw new ProblemError('conflict', `${named.name} does not answer.`);
      return named;
    }
    const others = live.filter(({ id }) => id !== server.before);
    const chosenId = chooseRunner(server.id, await loadsOf(tx, others));
    const chosen = others.find(({ id }) => id === chosenId);
    if (chosen === undefined) throw new ProblemError('conflict', 'No other runner lives.');
    return chosen;
  }
}
