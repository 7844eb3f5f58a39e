import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.js';

/** What a stranger may have read into memory. */
const BYTES_MAX = 64 * 1024;

/**
 * Bodies that are long, or do not say how long they are, are read for nobody who has not been let in: whoever knows no key could fill the memory with what
 * guards would only refuse when it is there. Guards look again, and at more.
 */
export function admitBeforeLongBodies(fastify: FastifyInstance, admit: (request: FastifyRequest, path: string) => Promise<unknown>): void {
  fastify.addHook('preParsing', async (request) => {
    const { 'content-length': bytes, 'transfer-encoding': encoding } = request.raw.headers;
    if (encoding === undefined && Number(bytes ?? 0) <= BYTES_MAX) return;
    const { url } = request.routeOptions;
    if (url === undefined) throw new ProblemError('not_found', 'There is no such route.');
    await admit(request, url);
  });
}
