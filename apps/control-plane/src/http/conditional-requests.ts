import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import type { FastifyReply } from 'fastify';
import { catchError, from, mergeMap, tap, type Observable } from 'rxjs';
import { versionedRoutes, type VersionedResource } from '../changes/resource-versions.js';
import { VersionCondition } from '../changes/version-condition.js';
import type { OperatorRequest } from './access.guard.js';
import { answersVersion, versionsIn, versionTag } from './entity-tags.js';
import { findFault } from './plain-json.js';
import { ProblemError } from './problem.js';

const changing: ReadonlySet<string> = new Set(['PATCH', 'PUT', 'DELETE']);

/** Whoever changes or deletes what can be read by itself says in `If-Match` which version of it they mean; what is read says its version. */
@Injectable()
export class ConditionalRequests implements NestInterceptor {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<OperatorRequest>();
    const resource = versionedRoutes[request.routeOptions.url ?? ''];
    if (resource !== undefined && request.method === 'GET') return this.read(request, resource, next);
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    if (resource !== undefined && changing.has(request.method)) return changed({ request, reply, resource }, next);
    refuseIgnored(request);
    return next.handle();
  }

  /** The version is older than what is read behind it, if anything: a tag must never be newer than its answer. */
  private read(request: OperatorRequest, resource: VersionedResource, next: CallHandler): Observable<unknown> {
    return from(resource.version(this.database, referenceOf(request))).pipe(
      mergeMap((version) => {
        if (version !== null) answersVersion(request, version);
        return next.handle();
      }),
    );
  }
}

interface Change {
  readonly request: OperatorRequest;
  readonly reply: FastifyReply;
  readonly resource: VersionedResource;
}

function changed({ request, reply, resource }: Change, next: CallHandler): Observable<unknown> {
  const given = request.headers['if-match'];
  if (given === undefined) throw new ProblemError('precondition_required', 'Send the ETag of what you read, or * for whatever it is by now.');
  const condition = new VersionCondition(resource, referenceOf(request), versionsIn(given));
  if (request.operator === undefined) throw new Error('What has versions is behind the operators’ door');
  request.operator = { ...request.operator, precondition: condition };
  return next.handle().pipe(
    tap(() => {
      if (condition.current !== undefined) answersVersion(request, condition.current);
    }),
    catchError((error: unknown) => {
      const isRefused = error instanceof ProblemError && error.key === 'precondition_failed';
      if (isRefused && condition.current !== undefined) reply.header('etag', versionTag(condition.current));
      throw error;
    }),
  );
}

/** A condition that nobody looks at is not what its sender thinks it is; `*` is none. */
function refuseIgnored({ method, headers }: OperatorRequest): void {
  if (method === 'GET' || (headers['if-match'] ?? '*').trim() === '*') return;
  throw new ProblemError('validation', undefined, [{ pointer: '/If-Match', detail: 'has no meaning here: nothing here has a version' }]);
}

function referenceOf({ params }: OperatorRequest): string {
  const [reference] = Object.values(typeof params === 'object' && params !== null ? params : {});
  // Nobody has looked at it yet, and Postgres takes no such text.
  return findFault(reference) === undefined ? String(reference ?? '') : '';
}
