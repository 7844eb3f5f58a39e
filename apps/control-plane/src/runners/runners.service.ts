import { Inject, Injectable } from '@nestjs/common';
import type { Page } from '@portcullis/contracts/api/conventions';
import type { Runner } from '@portcullis/contracts/api/runners';
import type { EnrolRunner, EnrolRunnerResponse } from '@portcullis/contracts/runner/heartbeat';
import { PrismaClient, type Runner as RunnerRow } from '@portcullis/database';
import { hashBearer, newBearer } from '@portcullis/secrets';
import { v7 } from 'uuid';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import { requireSealable } from '../nodes/require-sealable.js';
import { serverBucket } from '../servers/servers.service.js';
import { newRunnerToken } from './runner-tokens.js';
import { hostedBy, toRunner } from './to-runner.js';

/** Which runners there are. */
@Injectable()
export class RunnersService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly policy: PolicyChanges,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async list(limit: number, cursor: string | undefined): Promise<Page<Runner>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    const where = after === undefined ? {} : { name: { gt: after } };
    const rows = await this.database.runner.findMany({ where, orderBy: { name: 'asc' }, take: limit + 1 });
    const [slugs, now] = [await this.slugsOf(rows), new Date()];
    return pageFrom(
      rows,
      limit,
      (row) => toRunner(row, slugs, now),
      ({ name }) => [name],
    );
  }

  async read(id: string): Promise<Runner> {
    const row = await this.database.runner.findUnique({ where: { id } });
    if (row === null) throw notFound('runner');
    return toRunner(row, await this.slugsOf([row]), new Date());
  }

  /**
   * Refuses (409) a name whose runner has reported: what it hosts, its secrets included, would be whoever's has a join token. Before that nothing was given
   * to it, and a runner that did not get its answer asks again.
   */
  async enrol(author: Author, { name, sealingPublicKey }: EnrolRunner): Promise<EnrolRunnerResponse> {
    requireSealable(sealingPublicKey);
    const { id: keyId, secret, token: runnerKey } = newBearer('runner');
    const pepper = this.keys.currentPepper();
    const keys = { keyId, keyHash: hashBearer(pepper.key, secret), pepperId: pepper.id, sealingPublicKey, enrolledAt: new Date() };
    const id = v7();
    const runner = await this.changes.apply(author, 'runner.enrolled', async (tx) => {
      const create = { id, name, ...keys, ...newRunnerToken(this.keys, id) };
      // Locked: it may be about to report for the first time.
      const [known] = await tx.$queryRaw<{ id: string }[]>`
        SELECT id::text AS id FROM (SELECT id, last_seen_at FROM runner WHERE name = ${name} FOR UPDATE) r WHERE last_seen_at IS NOT NULL`;
      if (known !== undefined) throw new ProblemError('conflict', takenName(known.id));
      const row = await tx.runner.upsert({ where: { name }, create, update: keys });
      return { result: row, subject: { kind: 'runner', id: row.id, slug: name }, change: { keyId } };
    });
    return { runnerId: runner.id, runnerKey };
  }

  async remove(author: Author, id: string): Promise<Changed<undefined>> {
    return this.policy.apply(author, 'runner.deleted', undefined, async (tx) => {
      const runner = await tx.runner.findUnique({ where: { id }, select: { name: true, places: { select: { serverId: true } } } });
      if (runner === null) throw notFound('runner');
      await tx.hosting.updateMany({ where: { placeRunnerId: id }, data: { placeAddress: null } });
      await tx.runner.delete({ where: { id } });
      const dirty = runner.places.map(({ serverId }) => serverBucket(serverId));
      return { result: undefined, subject: { kind: 'runner', id, slug: runner.name }, change: { deleted: true, servers: dirty.length }, dirty };
    });
  }

  private async slugsOf(rows: readonly RunnerRow[]): Promise<ReadonlyMap<string, string>> {
    const ids = rows.flatMap(hostedBy).map(({ serverId }) => serverId);
    const servers = await this.database.server.findMany({ where: { id: { in: ids } }, select: { id: true, slug: true } });
    return new Map(servers.map(({ id, slug }) => [id, slug]));
  }
}

const takenName = (id: string): string =>
  `A runner of this name has enrolled. If it lost its key, remove it first: DELETE /v1/runners/${id}. Another runner needs a name of its own.`;
