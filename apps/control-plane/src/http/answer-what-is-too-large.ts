import { discardBody } from '@portcullis/boot';
import type { FastifyInstance } from 'fastify';

/**
 * Lets whoever announces more than `bytesMax` bytes send them into the void first, so that Fastify's 413 is read and not lost in a reset connection.
 * Routes in `except` take bodies of any length.
 */
export function answerWhatIsTooLarge(fastify: FastifyInstance, bytesMax: number, except: ReadonlySet<string>): void {
  fastify.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (except.has(routeOptions.url ?? '')) return;
    if (Number(raw.headers['content-length'] ?? 0) > bytesMax) await discardBody(raw);
  });
}
