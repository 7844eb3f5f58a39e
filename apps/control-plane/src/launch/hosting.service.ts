import { Inject, Injectable } from '@nestjs/common';
import type { RestartServer, ServerLog } from '@portcullis/contracts/api/launch-profiles';
import { PrismaClient } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ProblemError } from '../http/problem.js';
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
}
