import {
  applyDecorators,
  Inject,
  Injectable,
  SetMetadata,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { ChangeQuery, REVISION_HEADER } from '@portcullis/contracts/api/conventions';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { mergeMap, type Observable } from 'rxjs';
import { ProblemError } from '../http/problem.js';
import { Audited, QUERY_CHECKED } from '../http/route-marks.js';
import { AppliedEverywhere } from './applied-everywhere.js';
import type { Changed } from './policy-changes.js';

/** Turns what `PolicyChanges.apply` gave into the answer: the result, its revision in a header, and `?wait=all` honoured. */
@Injectable()
export class PolicyAnswer implements NestInterceptor {
  constructor(@Inject(AppliedEverywhere) private readonly nodes: AppliedEverywhere) {}

  intercept(context: ExecutionContext, next: CallHandler<Changed<unknown>>): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    // Before the change: a misspelt parameter must not leave it done and answered with an error.
    const query = ChangeQuery.safeParse(context.switchToHttp().getRequest<FastifyRequest>().query);
    if (!query.success)
      throw new ProblemError('validation', undefined, [{ pointer: '/wait', detail: 'takes `all`, and no other parameter is known' }]);
    return next.handle().pipe(
      mergeMap(async ({ result, revision }) => {
        reply.header(REVISION_HEADER, String(revision));
        if (query.data.wait === 'all') await this.nodes.wait(revision);
        return result;
      }),
    );
  }
}

/** For a route that changes policy: its handler returns what `PolicyChanges.apply` gave, and the action is on record. */
export const ChangesPolicy = (action: string): MethodDecorator =>
  applyDecorators(
    Audited(action),
    SetMetadata(QUERY_CHECKED, true),
    UseInterceptors(PolicyAnswer),
    ApiQuery({ name: 'wait', required: false, enum: ['all'], description: 'Answer when every live node has applied the change.' }),
  );
