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
import { ChangeQuery, LAGGING_HEADER, RehearsableQuery, REVISION_HEADER } from '@portcullis/contracts/api/conventions';
import type { FastifyReply } from 'fastify';
import { mergeMap, type Observable } from 'rxjs';
import type { z } from 'zod';
import type { OperatorRequest } from '../http/access.guard.js';
import { ProblemError, type Fault } from '../http/problem.js';
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
    const schema = (Reflect.getMetadata(QUERY, context.getHandler()) as typeof ChangeQuery | undefined) ?? ChangeQuery;
    const request = context.switchToHttp().getRequest<OperatorRequest>();
    const query = schema.safeParse(request.query);
    if (!query.success) throw new ProblemError('validation', undefined, queryFaults(query.error.issues));
    const { reason } = query.data;
    if (reason !== undefined && request.operator !== undefined) request.operator = { ...request.operator, reason };
    return next.handle().pipe(
      mergeMap(async ({ result, revision }) => {
        reply.header(REVISION_HEADER, String(revision));
        const lagging = query.data.wait === 'all' ? await this.nodes.wait(revision, query.data.timeout * 1000) : [];
        if (lagging.length > 0) reply.status(202).header(LAGGING_HEADER, lagging.join(','));
        return result;
      }),
    );
  }
}

const queryFaults = (issues: readonly { readonly path: readonly PropertyKey[] }[]): Fault[] =>
  issues.map(({ path }) => ({
    pointer: `/${String(path[0] ?? 'wait')}`,
    detail: 'takes `all`, with a `timeout` of 1 to 60 seconds, and a `reason` of at most 500 characters; no other parameter is known',
  }));

const QUERY = 'portcullis:change-query';

/** For a route that takes more parameters than every change of policy does. */
export const TakesQuery = (schema: z.ZodType<ChangeQuery>): MethodDecorator => SetMetadata(QUERY, schema);

/** For a route that also takes `dryRun`: then its handler gives what would be, and the current revision. */
export const Rehearsable = (): MethodDecorator =>
  applyDecorators(
    TakesQuery(RehearsableQuery),
    ApiQuery({ name: 'dryRun', required: false, enum: ['true', 'false'], description: 'Say what would change, and change nothing.' }),
  );

/** For a route that changes policy: its handler returns what `PolicyChanges.apply` gave, and the action is on record. */
export const ChangesPolicy = (action: string): MethodDecorator =>
  applyDecorators(
    Audited(action),
    SetMetadata(QUERY_CHECKED, true),
    UseInterceptors(PolicyAnswer),
    ApiQuery({ name: 'wait', required: false, enum: ['all'], description: 'Answer when every live node has applied the change.' }),
    ApiQuery({
      name: 'timeout',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 60, default: 20 },
      description: 'Seconds to wait. Status 202 then, with the nodes that lag in `X-Policy-Lagging`; the change stays made.',
    }),
    ApiQuery({ name: 'reason', required: false, schema: { type: 'string', maxLength: 500 }, description: 'Why, where the body has no `reason`.' }),
  );
