import { BREAK_GLASS_HEADER, BreakGlassReason } from '@portcullis/contracts/api/conventions';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { OperatorTokens, type Caller } from '../operators/operator-tokens.js';
import { isPermitted } from './permissions.js';
import { ProblemError } from './problem.js';
import { DOOR, type Door } from './route-marks.js';

/** A request that passed the operators' door. */
export type OperatorRequest = FastifyRequest & { operator?: Caller };

const bearer = /^Bearer +([\x21-\x7e]{1,8192})$/i;

/** The bearer token of a request; refuses (401) where there is none or more than one header. */
export function bearerOf(request: FastifyRequest): string {
  const token = bearer.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new ProblemError('unauthenticated');
  return token;
}

/** Why the caller breaks the glass; refuses (403) whoever may not, and (400) a reason that says nothing. */
function breakGlassOf(request: FastifyRequest, { mayBreakGlass }: Caller): string | undefined {
  const given = request.headers[BREAK_GLASS_HEADER];
  if (given === undefined) return undefined;
  if (!mayBreakGlass) throw new ProblemError('forbidden', 'You have no break-glass right.');
  const reason = BreakGlassReason.safeParse(given);
  if (reason.success) return reason.data;
  throw new ProblemError('validation', undefined, [{ pointer: `/${BREAK_GLASS_HEADER}`, detail: 'takes a reason of 10 to 500 characters' }]);
}

/** Default deny: a route passes nobody until it is marked, whatever the caller holds. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(OperatorTokens) private readonly tokens: OperatorTokens,
    @Inject(FailedSignIns) private readonly signIns: FailedSignIns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const door = this.reflector.getAllAndOverride<Door | undefined>(DOOR, [context.getHandler(), context.getClass()]);
    if (door === undefined) throw new ProblemError('forbidden');
    // Nodes are let in by the guard that their decorator brings along.
    if (door.kind !== 'operator') return true;
    const request = context.switchToHttp().getRequest<OperatorRequest>();
    const token = bearerOf(request);
    const caller = await this.signIns.attempt(request, { door: 'operator', token }, () => this.tokens.authenticate(token));
    if (!isPermitted(caller.role, door.permission)) throw new ProblemError('forbidden', `The role ${caller.role} lacks ${door.permission}.`);
    const breakGlass = breakGlassOf(request, caller);
    request.operator = breakGlass === undefined ? caller : { ...caller, breakGlass };
    return true;
  }
}
