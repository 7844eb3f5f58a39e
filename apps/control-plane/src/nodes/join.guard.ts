import { createHash, timingSafeEqual } from 'node:crypto';
import { applyDecorators, createParamDecorator, Inject, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { bearerMatches, parseBearer } from '@portcullis/secrets';
import type { FastifyRequest } from 'fastify';
import type { Author } from '../changes/author.js';
import { bearerOf } from '../http/access.guard.js';
import { ProblemError } from '../http/problem.js';
import { markDoor } from '../http/route-marks.js';
import { KeyRing } from '../keys/key-ring.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { NodesRepository } from './nodes.repository.js';

/** Token of the join token that was given to this process by its environment, if one was. */
export const FIXED_JOIN_TOKEN = 'FixedJoinToken';

type JoinRequest = FastifyRequest & { joinedBy?: Author };

/** The door to enrolment: a join token that has not expired, or the fixed one. */
@Injectable()
export class JoinGuard implements CanActivate {
  constructor(
    @Inject(NodesRepository) private readonly nodes: NodesRepository,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(FailedSignIns) private readonly signIns: FailedSignIns,
    @Inject(FIXED_JOIN_TOKEN) private readonly fixed: string | undefined,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<JoinRequest>();
    const token = bearerOf(request);
    request.joinedBy = await this.signIns.attempt(request, { door: 'join', token }, () => this.holderOf(token));
    return true;
  }

  private async holderOf(token: string): Promise<Author> {
    if (this.fixed !== undefined && isEqual(token, this.fixed)) return { name: 'portcullis/fixed-join-token' };
    const parts = parseBearer('join', token);
    const row = parts === undefined ? null : await this.nodes.joinToken(parts.id);
    const pepper = row === null ? undefined : this.keys.pepper(row.pepperId);
    if (parts === undefined || row === null || pepper === undefined || !bearerMatches(pepper, parts.secret, row.hash)) {
      throw new ProblemError('unauthenticated');
    }
    if (row.expiresAt.getTime() <= Date.now()) throw new ProblemError('unauthenticated');
    return { name: row.createdBy, tokenId: row.id };
  }
}

function isEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Only the holder of a join token passes. */
export const JoinersOnly = (): MethodDecorator & ClassDecorator => applyDecorators(markDoor({ kind: 'join' }), UseGuards(JoinGuard));

/** Who let the node in: the operator who made the join token. */
export const JoinedBy = createParamDecorator((_data: undefined, context: ExecutionContext): Author => {
  const { joinedBy } = context.switchToHttp().getRequest<JoinRequest>();
  if (joinedBy === undefined) throw new Error('The route is not behind the joiners’ door');
  return joinedBy;
});
