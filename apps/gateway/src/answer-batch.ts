import type { ClassifiedBatch } from '@portcullis/mcp';
import { answerRequest } from './answer-request.js';
import { heedNotification } from './cancel/take-notification.js';
import { deliverResponse } from './questions/take-response.js';
import { BatchReply } from './reply/batch-reply.js';
import type { HttpReply } from './reply/http-reply.js';
import type { Visit } from './visit.js';

/** A batch of 2025-03-26: each request goes the whole way by itself; their answers come together as one array. */
export async function answerBatch(batch: ClassifiedBatch, visit: Visit, reply: HttpReply): Promise<void> {
  for (const message of batch.messages) if (message.kind === 'notification') heedNotification(message, visit);
  for (const message of batch.messages) if (message.kind === 'response') await deliverResponse(message, visit);
  const requests = batch.messages.filter((message) => message.kind === 'request');
  if (requests.length > 0) reply.keepAlive();
  const places = await Promise.all(
    requests.map(async (request) => {
      const place = new BatchReply(reply);
      await answerRequest(request, visit, place);
      return place.message;
    }),
  );
  const answers = places.filter((answer) => answer !== undefined);
  if (answers.length === 0) {
    reply.finishEmpty(202);
    return;
  }
  const pieces = answers.flatMap((answer, at) => [at === 0 ? '[' : ',', answer]);
  reply.finish(200, [...pieces, ']']);
}
