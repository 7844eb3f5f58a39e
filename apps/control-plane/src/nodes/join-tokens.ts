import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { CreateJoinToken, JoinToken } from '@portcullis/contracts/api/operations';
import { PrismaClient } from '@portcullis/database';
import { bearerMatches, hashBearer, newBearer, parseBearer } from '@portcullis/secrets';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';

/** Who enrols by a join token. */
export type Joiner = 'node' | 'runner';

/** Token of the join tokens that were given to this process by its environment, where any were. */
export const FIXED_JOIN_TOKENS = 'FixedJoinTokens';
export type FixedJoinTokens = Readonly<Partial<Record<Joiner, string | undefined>>>;

/** Tokens by which nodes and runners enrol: each kind by its own. */
@Injectable()
export class JoinTokens {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(FIXED_JOIN_TOKENS) private readonly fixed: FixedJoinTokens,
  ) {}

  async create(author: Author, opens: Joiner, { expiresInSeconds }: CreateJoinToken): Promise<JoinToken> {
    const { id, secret, token } = newBearer('join');
    const pepper = this.keys.currentPepper();
    const expiresAt = new Date(Date.now() + expiresInSeconds * 1000);
    await this.changes.apply(author, 'join-token.created', async (tx) => {
      await tx.joinToken.deleteMany({ where: { expiresAt: { lt: new Date() } } });
      await tx.joinToken.create({
        data: { id, hash: hashBearer(pepper.key, secret), pepperId: pepper.id, opens, createdBy: author.name, expiresAt },
      });
      return { result: undefined, subject: { kind: 'join-token', id }, change: { opens, expiresAt: expiresAt.toISOString() } };
    });
    return { token, expiresAt: expiresAt.toISOString() };
  }

  /** Who lets the holder in. Refuses (401) a token that is none, has expired, or is for the other kind. */
  async holderOf(opens: Joiner, token: string): Promise<Author> {
    const fixed = this.fixed[opens];
    if (fixed !== undefined && isEqual(token, fixed)) return { name: 'portcullis/fixed-join-token' };
    const parts = parseBearer('join', token);
    const row = parts === undefined ? null : await this.database.joinToken.findUnique({ where: { id: parts.id } });
    const pepper = row === null ? undefined : this.keys.pepper(row.pepperId);
    if (parts === undefined || row === null || pepper === undefined || !bearerMatches(pepper, parts.secret, row.hash)) {
      throw new ProblemError('unauthenticated');
    }
    if (row.opens !== opens || row.expiresAt.getTime() <= Date.now()) throw new ProblemError('unauthenticated');
    return { name: row.createdBy, tokenId: row.id };
  }
}

function isEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
