import { discardBody } from '@portcullis/boot';
import type { FastifyInstance } from 'fastify';

/** Lets whoever announces more than `bytesMax` bytes send them into the void first, so that Fastify's 413 is read and not lost in a reset connection. */
export function answerWhatIsTooLarge(fastify: FastifyInstance, bytesMax: number): void {
  fastify.addHook('onRequest', async ({ raw }) => {
    if (Number(raw.headers['content-length'] ?? 0) > bytesMax) await discardBody(raw);
  });
}
