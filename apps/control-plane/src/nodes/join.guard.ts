import {
  applyDecorators,
  createParamDecorator,
  Inject,
  Injectable,
  mixin,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Author } from '../changes/author.js';
import { bearerOf } from '../http/access.guard.js';
import { markDoor } from '../http/route-marks.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { JoinTokens, type Joiner } from './join-tokens.js';

type JoinRequest = FastifyRequest & { joinedBy?: Author };

/** The door to enrolment: a join token of this kind that has not expired, or the fixed one. */
function joinGuard(opens: Joiner): Type<CanActivate> {
  @Injectable()
  class JoinGuard implements CanActivate {
    constructor(
      @Inject(JoinTokens) private readonly tokens: JoinTokens,
      @Inject(FailedSignIns) private readonly signIns: FailedSignIns,
    ) {}

    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest<JoinRequest>();
      const token = bearerOf(request);
      request.joinedBy = await this.signIns.attempt(request, { door: 'join', token }, () => this.tokens.holderOf(opens, token));
      return true;
    }
  }
  return mixin(JoinGuard);
}

/** Only the holder of a join token for nodes passes. */
export const JoinersOnly = (): MethodDecorator & ClassDecorator => applyDecorators(markDoor({ kind: 'join' }), UseGuards(NodeJoinGuard));
/** Only the holder of a join token for runners passes. */
export const JoiningRunnersOnly = (): MethodDecorator & ClassDecorator =>
  applyDecorators(markDoor({ kind: 'runner-join' }), UseGuards(RunnerJoinGuard));

const NodeJoinGuard = joinGuard('node');
const RunnerJoinGuard = joinGuard('runner');

/** Who let the node or runner in: the operator who made the join token. */
export const JoinedBy = createParamDecorator((_data: undefined, context: ExecutionContext): Author => {
  const { joinedBy } = context.switchToHttp().getRequest<JoinRequest>();
  if (joinedBy === undefined) throw new Error('The route is not behind the joiners’ door');
  return joinedBy;
});
