import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problem.js';

/**
 * What a client that was cut off sends to go on behind the last event it has; undefined for one that begins. Refuses whoever does not say that it takes
 * events: it would wait for an end that does not come.
 */
export const LastEventId = createParamDecorator((_data: unknown, context: ExecutionContext): string | undefined => {
  const { accept, 'last-event-id': given } = context.switchToHttp().getRequest<FastifyRequest>().headers;
  if (accept?.includes('text/event-stream') !== true)
    throw new ProblemError('validation', undefined, [{ pointer: '/accept', detail: 'must be text/event-stream' }]);
  return typeof given === 'string' && given !== '' ? given : undefined;
});
