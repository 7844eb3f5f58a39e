import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { problemTable, type ProblemKey } from '@portcullis/contracts/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUnavailable } from '../database/is-unavailable.js';
import { problemDocument, ProblemError } from './problem.js';
import type { RouteTable } from './route-table.js';

/** Of several of one status the first, which is the general one. */
const keysByStatus = new Map<number, ProblemKey>(
  (Object.entries(problemTable) as [ProblemKey, { status: number }][]).toReversed().map(([key, { status }]) => [status, key]),
);

/** The only place where an error becomes an answer: always `application/problem+json`, never a stack or an inner message. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  constructor(private readonly routes: RouteTable) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;
    const problem = this.asProblem(error, request, reply);
    if (problemTable[problem.key].status >= 500)
      this.logger.error({ method: request.method, route: request.routeOptions?.url, error: describe(error) });
    sendProblem(reply, problem);
  }

  private asProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): ProblemError {
    if (error instanceof ProblemError) return error;
    if (isUnavailable(error)) return new ProblemError('unavailable', undefined, [], { cause: error });
    const status = error instanceof HttpException ? error.getStatus() : numberOf(error, 'statusCode');
    if (status === 404) return this.unknownRoute(request, reply);
    if (status === 400) return new ProblemError('validation', 'The body is not valid JSON.');
    if (status !== undefined && status > 400 && status < 500) return new ProblemError(keysByStatus.get(status) ?? 'validation');
    if (status === 503) return new ProblemError('unavailable');
    return new ProblemError('internal');
  }

  private unknownRoute(request: FastifyRequest, reply: FastifyReply): ProblemError {
    const methods = this.routes.methodsOf(request.url);
    if (methods.length === 0) return new ProblemError('not_found', 'There is no such route.');
    reply.header('allow', methods.join(', '));
    return new ProblemError('method_not_allowed', `This route knows ${methods.join(', ')}.`);
  }
}

/** What the router refuses before any route is found (a malformed escape, an endless parameter). */
export function refuseUrl(_error: Error, _request: unknown, reply: FastifyReply): void {
  sendProblem(reply, new ProblemError('validation', 'The URL cannot be read.'));
}

/** What is refused for being too much is over in a minute. */
const RETRY_SECONDS = 60;

function sendProblem(reply: FastifyReply, problem: ProblemError): void {
  const document = problemDocument(problem);
  if (document.status === 401) reply.header('www-authenticate', 'Bearer realm="portcullis"');
  if (document.status === 429) reply.header('retry-after', String(RETRY_SECONDS));
  void reply.status(document.status).header('content-type', 'application/problem+json').send(JSON.stringify(document));
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : 'not an error object';
}

function numberOf(error: unknown, member: string): number | undefined {
  const value: unknown = error instanceof Error ? Reflect.get(error, member) : undefined;
  return typeof value === 'number' ? value : undefined;
}
