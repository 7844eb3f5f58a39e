import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { bearerMatches, looksLikeJwt, parseBearer } from '@portcullis/secrets';
import { ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import type { Caller } from './caller.js';
import { OidcOperators } from './oidc-operators.js';

export type { Caller };

@Injectable()
export class OperatorTokens {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(OidcOperators) private readonly oidc: OidcOperators,
  ) {}

  /** Who holds this token, one of ours or one of the issuer that operators sign in at. Refuses (401) an unknown, wrong, revoked or expired one, and one of a disabled operator, all alike. */
  async authenticate(token: string): Promise<Caller> {
    if (looksLikeJwt(token)) return this.oidc.authenticate(token);
    const parts = parseBearer('operator', token);
    if (parts === undefined) throw new ProblemError('unauthenticated');
    const row = await this.database.operatorToken.findUnique({ where: { id: parts.id }, include: { operator: true } });
    const pepper = row === null ? undefined : this.keys.pepper(row.pepperId);
    if (row === null || pepper === undefined || !bearerMatches(pepper, parts.secret, row.hash)) throw new ProblemError('unauthenticated');
    const isOver = row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt.getTime() <= Date.now());
    if (isOver || !row.operator.enabled) throw new ProblemError('unauthenticated');
    const { id, name, role, breakGlass: mayBreakGlass } = row.operator;
    return { id, name, role, tokenId: row.id, mayBreakGlass };
  }
}
