import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '@portcullis/contracts/errors';
import { CreateTaskKey, type CreatedTaskKey, type TaskKeyContent } from '@portcullis/contracts/task-keys';
import { parseJsonBody } from '@portcullis/mcp';
import { CallRecord } from '../audit/call-record.js';
import { filterBodyHeaders } from '../edge/front-filter.js';
import { readBody } from '../edge/read-body.js';
import type { HttpReply } from '../reply/http-reply.js';
import type { Visit } from '../visit.js';

const METHOD = 'task-keys/create';

/**
 * `POST /task-keys`: an agent exchanges its key for one that is good for less: for a task, until a time, for what that needs. A task key may be
 * exchanged too, for one that is held to both.
 */
export async function answerTaskKey(visit: Visit, request: IncomingMessage, reply: HttpReply): Promise<void> {
  if (request.method !== 'POST') throw new GatewayError('client.method_not_allowed');
  const { gateway, caller, head } = visit;
  filterBodyHeaders({ ...head, accept: '*/*' }, gateway.edge);
  const parsed = parseJsonBody(await readBody(request, gateway.edge.bodyBytesMax));
  const wanted = CreateTaskKey.safeParse(parsed.ok ? parsed.value : undefined);
  if (!wanted.success) throw new GatewayError('client.malformed');
  const content = contentFor(wanted.data, visit);
  const key = gateway.taskKeys.seal(content);
  if (key === undefined) throw new GatewayError('client.too_large');
  const record = new CallRecord(visit, { method: METHOD, era: null, traceparent: undefined });
  record.ofTask(content.task);
  record.arguments(JSON.stringify({ id: content.id, ...wanted.data }));
  await record.end({ status: 'success' });
  const { id, task, parentKeyId } = content;
  const answer: CreatedTaskKey = { id, key, task, agent: caller.agent.slug, parentKeyId, expiresAt: new Date(content.expiresAt).toISOString() };
  reply.setHeader('cache-control', 'no-store');
  reply.finish(201, [JSON.stringify(answer)]);
  gateway.metrics.ended(METHOD, 'success');
}

function contentFor({ task, servers, tools, ttlSeconds }: CreateTaskKey, { caller, now }: Visit): TaskKeyContent {
  const narrowing = { ...(servers !== undefined && { servers }), ...(tools !== undefined && { tools }) };
  return {
    id: randomBytes(12).toString('base64url'),
    agentId: caller.agent.id,
    parentKeyId: caller.keyId,
    task,
    expiresAt: Math.min(now + ttlSeconds * 1000, caller.task?.expiresAt ?? caller.expiresAt ?? Infinity),
    ...(caller.onBehalfOf !== undefined && { onBehalfOf: caller.onBehalfOf }),
    within: [...(caller.task?.within ?? []), narrowing],
  };
}
