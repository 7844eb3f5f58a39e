import { Inject, Injectable } from '@nestjs/common';
import type { DecideDefinitions, DecideDefinitionsResult, Definition, DefinitionPage, ListDefinitionsQuery } from '@portcullis/contracts/api/servers';
import { PrismaClient, type Definition as DefinitionRow, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import {
  approveDefinitions,
  findByIds,
  findDefinition,
  findInStates,
  listDefinitions,
  lockDefinitions,
  rejectDefinitions,
  type DecidedRow,
} from './definitions.repository.js';
import { toDefinition } from './to-definition.js';
import { serverBucket, serverSubject, ServersService } from './servers.service.js';

export type Verdict = 'approve' | 'reject';

/** Names that a revision lists one by one; the count is always complete. */
export const NAMES_MAX = 1000;

/** What servers offer, and what operators think of it. Only approved definitions reach agents. */
@Injectable()
export class DefinitionsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(ServersService) private readonly servers: ServersService,
  ) {}

  async list(reference: string, query: ListDefinitionsQuery): Promise<z.infer<typeof DefinitionPage>> {
    const server = await this.servers.find(this.database, reference);
    const [after] = decodeCursor(query.cursor, IdCursor) ?? [];
    const rows = await listDefinitions(this.database, server.id, query, after);
    return pageFrom(
      rows,
      query.limit,
      (row) => toDefinition(row, server),
      (row) => [row.id],
    );
  }

  /** One of them, as it is kept and as operators see it. */
  async find(reference: string, id: string): Promise<{ row: DefinitionRow; definition: Definition }> {
    const server = await this.servers.find(this.database, reference);
    const row = await findDefinition(this.database, server.id, id);
    if (row === null) throw notFound('definition of this server');
    return { row, definition: toDefinition(row, server) };
  }

  /** All or nothing. Refuses (409) a definition that is not the one that was looked at, or is no longer offered. */
  async decide(author: Author, reference: string, verdict: Verdict, body: DecideDefinitions): Promise<Changed<DecideDefinitionsResult>> {
    const action = verdict === 'approve' ? 'definitions.approved' : 'definitions.rejected';
    const { result, revision } = await this.changes.apply(author, action, body.reason, async (tx) => {
      const server = await this.servers.find(tx, reference);
      await lockDefinitions(tx, [server.id]);
      const rows = (await this.chosen(tx, server.id, verdict, body)).filter((row) => !isDecided(row, verdict));
      const done = { id: server.id, decided: rows.length };
      if (rows.length === 0) return { result: done, unchanged: true };
      const ids = rows.map(({ id }) => id);
      await (verdict === 'approve' ? approveDefinitions : rejectDefinitions)(tx, ids, { by: author.name, reason: body.reason });
      const change = { count: rows.length, definitions: rows.slice(0, NAMES_MAX).map(({ kind, name, hash }) => ({ kind, name, hash })) };
      return { result: done, subject: serverSubject(server), change, dirty: [serverBucket(server.id)] };
    });
    return { result: { decided: result.decided, server: await this.servers.read(result.id) }, revision };
  }

  private async chosen(tx: Transaction, serverId: string, verdict: Verdict, body: DecideDefinitions): Promise<DecidedRow[]> {
    if ('all' in body) return findInStates(tx, serverId, ['pending', 'changed']);
    const rows = new Map(
      (
        await findByIds(
          tx,
          serverId,
          body.definitions.map(({ id }) => id),
        )
      ).map((row) => [row.id, row]),
    );
    for (const { id, hash } of body.definitions) {
      const row = rows.get(id);
      if (row === undefined) throw notFound(`definition ${id} of this server`);
      if (hash !== undefined && hash !== row.hash) throw new ProblemError('conflict', `${row.name} has changed since it was looked at.`);
      if (verdict === 'approve' && row.state === 'removed') throw new ProblemError('conflict', `${row.name} is no longer offered.`);
    }
    return [...rows.values()];
  }
}

export const isDecided = ({ state, hash, approvedHash }: DecidedRow, verdict: Verdict): boolean =>
  verdict === 'approve' ? state === 'approved' && hash === approvedHash : state === 'rejected';
