import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from './problem.js';
import { QUERY_CHECKED, STREAMS_BODY } from './route-marks.js';

/** Refuses a body or query parameters where the route takes none: what would be ignored is more likely a mistake. */
export class UndeclaredInputGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { query, body } = context.switchToHttp().getRequest<FastifyRequest>();
    const takes = declaredInputs(context);
    const [parameter] = Object.keys(typeof query === 'object' && query !== null ? query : {});
    if (parameter !== undefined && !takes.has(RouteParamtypes.QUERY)) throw unknown(`/${parameter}`);
    if (body !== undefined && body !== null && !takes.has(RouteParamtypes.BODY)) throw unknown('');
    return true;
  }
}

// Decorators of our own have a random name here, which may begin with a digit.
const BUILT_IN_PARAMETER = /^\d+:/;

function declaredInputs(context: ExecutionContext): Set<number> {
  const declared: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name);
  const inputs = new Set(Object.keys(declared ?? {}).flatMap((key) => (BUILT_IN_PARAMETER.test(key) ? [Number.parseInt(key, 10)] : [])));
  if (Reflect.hasMetadata(QUERY_CHECKED, context.getHandler())) inputs.add(RouteParamtypes.QUERY);
  if (Reflect.hasMetadata(STREAMS_BODY, context.getHandler())) inputs.add(RouteParamtypes.BODY);
  return inputs;
}

const unknown = (pointer: string): ProblemError =>
  new ProblemError('validation', undefined, [{ pointer, detail: pointer === '' ? 'takes no body' : 'is unknown' }]);
