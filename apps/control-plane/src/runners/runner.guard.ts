import { applyDecorators, createParamDecorator, Inject, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { PrismaClient, type Runner } from '@portcullis/database';
import type { FastifyRequest } from 'fastify';
import { bearerOf } from '../http/access.guard.js';
import { requireHolder } from '../http/require-holder.js';
import { markDoor } from '../http/route-marks.js';
import { KeyRing } from '../keys/key-ring.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';

type RunnerRequest = FastifyRequest & { runner?: Runner };

/** The runners' own door: a runner's key passes, nothing else does. */
@Injectable()
export class RunnerGuard implements CanActivate {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(FailedSignIns) private readonly signIns: FailedSignIns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<RunnerRequest>();
    const token = bearerOf(request);
    const find = (keyId: string): Promise<Runner | null> => this.database.runner.findUnique({ where: { keyId } });
    request.runner = await this.signIns.attempt(request, { door: 'runner', token }, () => requireHolder('runner', token, this.keys, find));
    return true;
  }
}

/** Only a runner with its own key passes. */
export const RunnersOnly = (): MethodDecorator & ClassDecorator => applyDecorators(markDoor({ kind: 'runner' }), UseGuards(RunnerGuard));

/** The runner that sent the request; only on routes behind the runners' door. */
export const CallingRunner = createParamDecorator((_data: undefined, context: ExecutionContext): Runner => {
  const { runner } = context.switchToHttp().getRequest<RunnerRequest>();
  if (runner === undefined) throw new Error('The route is not behind the runners’ door');
  return runner;
});
