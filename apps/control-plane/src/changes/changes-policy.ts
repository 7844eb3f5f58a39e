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
import { DRY_RUN_HEADER, LAGGING_HEADER, RehearsableQuery, REVISION_HEADER } from '@portcullis/contracts/api/conventions';
import type { ApplyResult } from '@portcullis/contracts/api/drafts';
import type { FastifyReply } from 'fastify';
import { catchError, mergeMap, of, type Observable } from 'rxjs';
import type { z } from 'zod';
import { PreviewsService } from '../drafts/previews.service.js';
import type { OperatorRequest } from '../http/access.guard.js';
import { ProblemError, type Fault } from '../http/problem.js';
import { Audited, QUERY_CHECKED } from '../http/route-marks.js';
import { AppliedEverywhere } from './applied-everywhere.js';
import type { Rehearse } from './author.js';
import type { Changed } from './policy-changes.js';

/** What a rehearsal leaves the handler with: nothing after the change of policy is done. */
class Rehearsed extends Error {
  constructor(readonly result: ApplyResult) {
    super('The change was rehearsed');
  }
}

/** Turns what `PolicyChanges.apply` gave into the answer: the result, its revision in a header, and `?wait=all` and `?dryRun=true` honoured. */
@Injectable()
export class PolicyAnswer implements NestInterceptor {
  constructor(
    @Inject(AppliedEverywhere) private readonly nodes: AppliedEverywhere,
    @Inject(PreviewsService) private readonly previews: PreviewsService,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<Changed<unknown>>): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    // Before the change: a misspelt parameter must not leave it done and answered with an error.
    const own = Reflect.getMetadata(QUERY, context.getHandler()) as z.ZodType<RehearsableQuery> | undefined;
    const request = context.switchToHttp().getRequest<OperatorRequest>();
    const query = (own ?? RehearsableQuery).safeParse(request.query);
    if (!query.success) throw new ProblemError('validation', undefined, queryFaults(query.error.issues));
    const { reason, dryRun, wait, timeout } = query.data;
    const isDryRun = dryRun === 'true';
    if (request.operator !== undefined) {
      const rehearse = isDryRun && own === undefined ? { rehearse: this.rehearse } : {};
      request.operator = { ...request.operator, ...(reason === undefined ? {} : { reason }), ...rehearse };
    }
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!(error instanceof Rehearsed)) throw error;
        reply.status(200);
        return of({ result: error.result, revision: error.result.revision });
      }),
      mergeMap(async ({ result, revision }) => {
        reply.header(REVISION_HEADER, String(revision));
        if (isDryRun) reply.header(DRY_RUN_HEADER, 'true');
        const lagging = wait === 'all' && !isDryRun ? await this.nodes.wait(revision, timeout * 1000) : [];
        if (lagging.length > 0) reply.status(202).header(LAGGING_HEADER, lagging.join(','));
        return result;
      }),
    );
  }

  private readonly rehearse: Rehearse = async (change) => {
    const { made, preview, diff, diffTotal } = await this.previews.preview(change);
    throw new Rehearsed({ revision: preview.revision, changed: made.isChanged ? 1 : 0, diff, diffTotal, preview });
  };
}

const queryFaults = (issues: readonly { readonly path: readonly PropertyKey[] }[]): Fault[] =>
  issues.map(({ path }) => ({
    pointer: `/${String(path[0] ?? 'wait')}`,
    detail: 'takes `all`, with a `timeout` of 1 to 60 seconds, a `reason` of at most 500 characters, and `dryRun=true`; no other parameter is known',
  }));

const QUERY = 'portcullis:change-query';

/** For a route that takes more parameters than every change of policy does, and rehearses itself. */
export const TakesQuery = (schema: z.ZodType<RehearsableQuery>): MethodDecorator => SetMetadata(QUERY, schema);

/** For a route that rehearses itself: with `dryRun` its handler gives what would be, and the current revision. */
export const Rehearsable = (): MethodDecorator => TakesQuery(RehearsableQuery);

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
    ApiQuery({
      name: 'dryRun',
      required: false,
      enum: ['true', 'false'],
      description: 'Say what would change and for whom, as an `ApplyResult` with status 200, and change nothing.',
    }),
    ApiQuery({ name: 'reason', required: false, schema: { type: 'string', maxLength: 500 }, description: 'Why, where the body has no `reason`.' }),
  );
