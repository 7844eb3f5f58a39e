import { Inject, Injectable, Logger, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_KEY_HEADER, IDEMPOTENCY_REPLAYED_HEADER } from '@portcullis/contracts/api/conventions';
import type { FastifyReply } from 'fastify';
import { catchError, from, mergeMap, of, type Observable } from 'rxjs';
import type { OperatorRequest } from '../http/access.guard.js';
import { findFault } from '../http/plain-json.js';
import { ProblemError } from '../http/problem.js';
import { AUDIT_MARK, STREAMS_BODY, type AuditMark } from '../http/route-marks.js';
import { Attempt, IdempotencyKeys, type KeptAnswer } from './idempotency-keys.js';

const keyShape = new RegExp(`^[\\x21-\\x7e]{1,${String(IDEMPOTENCY_KEY_CHARS_MAX)}}$`);

/** Headers that say something of what was done. */
const KEPT_HEADERS = ['x-policy-revision', 'x-policy-lagging', 'x-dry-run'];

/** Carries out an operator's `POST` under an `Idempotency-Key` once, and answers every repetition as it answered the first. */
@Injectable()
export class IdempotentRequests implements NestInterceptor {
  private readonly logger = new Logger('idempotency');

  constructor(
    @Inject(IdempotencyKeys) private readonly kept: IdempotencyKeys,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<OperatorRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const given = request.headers[IDEMPOTENCY_KEY_HEADER];
    const { operator } = request;
    if (given === undefined || operator === undefined || request.method !== 'POST' || !this.changesSomething(context)) return next.handle();
    const key = this.keyOf(context, given);
    // Looked at before contracts are, and what lies too deep could not be written here.
    const fault = findFault(request.body);
    if (fault !== undefined) throw new ProblemError('validation', undefined, [fault]);
    const text = JSON.stringify([request.method, request.url, request.body ?? null]);
    return from(this.kept.begin({ operatorId: operator.id, key, text })).pipe(
      mergeMap((begun) => {
        if (!(begun instanceof Attempt)) return again(reply, begun);
        request.operator = { ...operator, precondition: begun };
        return next.handle().pipe(
          mergeMap(async (body: unknown) => this.keep(begun, reply, body)),
          catchError(async (error: unknown) => {
            await this.kept.giveUp(begun);
            throw error;
          }),
        );
      }),
    );
  }

  /** A question is answered anew, as often as it is asked. */
  private changesSomething(context: ExecutionContext): boolean {
    const mark = this.reflector.get<AuditMark | undefined>(AUDIT_MARK, context.getHandler());
    return mark !== undefined && 'action' in mark;
  }

  private keyOf(context: ExecutionContext, given: string | string[]): string {
    const fault = (detail: string): ProblemError => new ProblemError('validation', undefined, [{ pointer: '/Idempotency-Key', detail }]);
    if (this.reflector.get<boolean | undefined>(STREAMS_BODY, context.getHandler()) === true)
      throw fault('has no meaning here: the same rows imported again change nothing');
    if (typeof given === 'string' && keyShape.test(given)) return given;
    throw fault(`takes 1 to ${String(IDEMPOTENCY_KEY_CHARS_MAX)} visible characters of ASCII`);
  }

  private async keep(attempt: Attempt, reply: FastifyReply, body: unknown): Promise<unknown> {
    const headers = Object.fromEntries(
      KEPT_HEADERS.flatMap((name) => (reply.getHeader(name) === undefined ? [] : [[name, String(reply.getHeader(name))]])),
    );
    try {
      await this.kept.keep(attempt, { status: reply.statusCode, headers, body });
    } catch (error) {
      // It is done, and whoever asked is told so; only a repetition is not.
      this.logger.warn({ msg: 'An answer could not be kept under its Idempotency-Key', error: String(error) });
    }
    return body;
  }
}

function again(reply: FastifyReply, { status, headers, body }: KeptAnswer): Observable<unknown> {
  reply.status(status).headers(headers).header(IDEMPOTENCY_REPLAYED_HEADER, 'true');
  return of(body);
}
