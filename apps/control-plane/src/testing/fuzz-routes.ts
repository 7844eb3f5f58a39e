import { Problem } from '@portcullis/contracts/api/conventions';
import { freshRedis } from '@portcullis/testing';
import fc from 'fast-check';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import type { Schema } from './arbitrary-of.js';
import { operationsOf, requestsOf, type FuzzRequest, type Operation } from './arbitrary-requests.js';
import { newOperatorToken, startTestApp, type TestApp } from './start-test-app.js';

/** Longer than anything here may take on a busy machine; a request that hangs takes for ever. */
const HANG_MS = 20_000;

const insides = /node_modules|\.[jt]s:\d|prisma|invocation|\bat \w+.* \(/i;

/** Answers of these never end by themselves: only those who may not have them ask. */
const ENDLESS: ReadonlySet<string> = new Set(['/v1/audit/tail']);

export interface Fuzzing {
  readonly operations: readonly Operation[];
  /** Sends so many requests to an operation, and rejects at the first answer that is not as the document says, with the seed that leads there. */
  fuzz(operation: Operation, requests: number): Promise<void>;
  close(): Promise<void>;
}

/** A control plane with one of each thing in it, and requests to it out of its own OpenAPI document. */
export async function startFuzzing(): Promise<Fuzzing> {
  const redis = await freshRedis();
  const own = await startTestApp({ redisUrl: redis.url });
  const document = (await own.call('GET', '/v1/openapi.json', undefined, null)).body as Parameters<typeof operationsOf>[0] & {
    components: { schemas: Record<string, Schema> };
  };
  const around = { components: document.components.schemas, known: await oneOfEach(own) };
  const others = await Promise.all((['approver', 'auditor', 'viewer'] as const).map((role) => newOperatorToken(own.app, role)));
  const everybody = [own.admin, own.admin, own.admin, own.admin, own.admin, own.admin, ...others, '', 'garbage'];
  return {
    operations: operationsOf(document),
    fuzz: async (operation, requests) => {
      const tokens = ENDLESS.has(operation.path) ? ['', 'garbage', others[2] ?? ''] : everybody;
      const property = fc.asyncProperty(requestsOf(operation, tokens, around), async (request) => look(own, operation, request));
      await fc.assert(property, { numRuns: requests, endOnFailure: true });
    },
    close: async () => {
      await own.close();
      await redis.stop();
    },
  };
}

/** Ids and slugs of what there is. */
async function oneOfEach(own: TestApp): Promise<string[]> {
  const ids: string[] = [];
  const make = async (url: string, body: object): Promise<void> => {
    const { status, body: made, text } = await own.call('POST', url, body);
    if (status !== 201) throw new Error(`${url} answered ${String(status)}: ${text}`);
    ids.push(String(made.id));
  };
  await make('/v1/agents', { slug: 'known' });
  await make('/v1/groups', { slug: 'known' });
  await own.call('PUT', '/v1/groups/known/members/known');
  const server = await own.database.server.create({ data: { slug: 'known', name: 'known', url: 'https://mcp.example.com/mcp' } });
  await make('/v1/grants', { agent: 'known', server: 'known', names: ['*'] });
  await make('/v1/requestable', { agent: 'known', server: 'known', names: ['*'], durationSecondsMax: 3600 });
  await make('/v1/webhooks', { name: 'known', url: 'https://hooks.example.com/' });
  await make('/v1/alert-rules', { name: 'known', when: { kind: 'denial_burst', count: 50, withinMinutes: 5 } });
  await make('/v1/budgets', { name: 'known', subject: { agent: 'known' }, currency: 'EUR', amountMicros: '1000000' });
  await make('/v1/access-requests', { agent: 'known', server: 'known', names: ['x'], durationSeconds: 600, reason: 'because' });
  return ['known', 'known', 'known', 'known', 'known:x', server.id, ...ids];
}

async function look(own: TestApp, { statuses }: Operation, request: FuzzRequest): Promise<void> {
  own.app.get(FailedSignIns).forget(); // strangers among the callers are no guessers
  const { method, url, headers, payload } = request;
  const answer = await endsInTime(own.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) }));
  const said = `${method} ${url} answered ${String(answer.statusCode)} ${answer.payload.slice(0, 500)}`;
  if (answer.statusCode === 500 || !statuses.has(String(answer.statusCode))) throw new Error(`Not documented: ${said}`);
  if (answer.statusCode < 400) return;
  if (!String(answer.headers['content-type']).startsWith('application/problem+json')) throw new Error(`No problem document: ${said}`);
  const problem = Problem.parse(answer.json());
  if (problem.status !== answer.statusCode || insides.test(answer.payload))
    throw new Error(`A problem that tells too much or the wrong thing: ${said}`);
}

async function endsInTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('It hangs')), HANG_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
