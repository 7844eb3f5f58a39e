import { Inject, Injectable } from '@nestjs/common';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import type { Revision, RevisionPage } from '@portcullis/contracts/api/policy';
import { PrismaClient, type Revision as RevisionRow } from '@portcullis/database';
import { z } from 'zod';
import { decodeCursor, pageFrom } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { findRevision, listRevisions } from './revisions.repository.js';

const RevisionCursor = z.tuple([z.int32().min(0)]);

/** Every change of policy, newest first. */
@Injectable()
export class RevisionsService {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof RevisionPage>> {
    const [before] = decodeCursor(cursor, RevisionCursor) ?? [];
    return pageFrom(await listRevisions(this.database, { before, limit }), limit, toRevision, ({ revision }) => [revision]);
  }

  async read(revision: number): Promise<Revision> {
    const row = await findRevision(this.database, revision);
    if (row === null) throw notFound('revision');
    return toRevision(row);
  }
}

function toRevision({ createdAt, publishedAt, ...row }: RevisionRow): Revision {
  return { ...row, createdAt: createdAt.toISOString(), publishedAt: publishedAt?.toISOString() ?? null };
}
