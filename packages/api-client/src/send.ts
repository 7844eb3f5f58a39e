import { BREAK_GLASS_HEADER, IDEMPOTENCY_KEY_HEADER, LAGGING_HEADER, Problem, REVISION_HEADER } from '@portcullis/contracts/api/conventions';
import type { z } from 'zod';
import { ApiError } from './api-error.js';
import type { Operations } from './generated/operations.js';
import { pathOf } from './path.js';

/** Where the control plane is and who asks. */
export interface ApiClientOptions {
  /** Address of the control plane, without `/v1`. */
  baseUrl: string;
  /** An operator's token; sent to `baseUrl` only. */
  token: string;
  /** Sent with every request: why the operator widens an agent of their own. */
  breakGlass?: string | undefined;
  fetch?: typeof fetch;
  /** How long one request may take. Default 90 s: a write may wait for nodes, a discovery for the server. */
  timeoutMs?: number;
}

/** An operation as the OpenAPI document names it: method and path. */
export type Route = keyof Operations;
export type ReadRoute = Extract<Route, `GET ${string}`>;

export interface ApiRequest<R extends Route, Answer extends z.ZodType> {
  route: R;
  /** What stands in the braces of the path, in order. */
  at?: readonly string[];
  query?: (Operations[R]['query'] & SendOptions) | undefined;
  /** JSON, unless `sends` names another type: then a text that goes out as it is. */
  body?: Operations[R]['body'] | undefined;
  sends?: string;
  /** Sent as it comes, instead of a body; the request may take as long as its sender likes. */
  stream?: { readonly contentType: string; readonly chunks: AsyncIterable<Uint8Array> } | undefined;
  answer: Answer;
  /** JSON, unless this names another type: then `answer` is given the text. */
  takes?: string;
}

/** What a change gave back, and the revision that holds it; null where it is no change of policy. */
export interface Changed<T> {
  value: T;
  revision: number | null;
  /** Nodes that had not applied the change when the wait for them ended. */
  lagging?: readonly string[];
}

/** `ifMatch`: the ETag (`etagOf`) of what is meant; a change of anything else is refused (412). Without it what is there by then is changed. */
export interface MatchOptions {
  ifMatch?: string | undefined;
}

/** `idempotencyKey`: the request is carried out once under this key, and a repetition gets the same answer, for a day. */
export interface OnceOptions {
  idempotencyKey?: string | undefined;
}

interface SendOptions extends MatchOptions, OnceOptions {}

/** `wait: 'all'`: the answer comes when every live node has applied the change, or after `timeout` seconds (default 20). `reason`: why, where the body says nothing. */
export interface ChangeOptions extends MatchOptions, OnceOptions {
  wait?: 'all' | undefined;
  timeout?: number | undefined;
  reason?: string | undefined;
}

/** Asks for an answer of any length: gives its bytes as they come, with headers of one's own. Rejects with an ApiError where none begins. */
export type Open = (request: {
  route: ReadRoute;
  query?: object | undefined;
  takes: string;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
}) => Promise<AsyncIterable<Uint8Array>>;

export function createOpen(options: ApiClientOptions): Open {
  const { token, timeoutMs = 90_000, fetch: ask = fetch } = options;
  const base = options.baseUrl.replace(/\/+$/, '');
  return async ({ route, query, takes, headers, signal }) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('No answer began', 'TimeoutError')), timeoutMs);
    const ends = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
    const accept = `${takes}, application/problem+json`;
    try {
      const sent = { accept, authorization: `Bearer ${token}`, ...headers };
      const response = await ask(base + pathOf(route) + queryOf(query), { headers: sent, redirect: 'error', signal: ends });
      if (response.ok) return response.body ?? emptyBody();
      throw refusal(response, await readText(response), { revision: null, request: route });
    } catch (cause) {
      throw cause instanceof ApiError ? cause : unanswered(base, cause, timeoutMs);
    } finally {
      clearTimeout(timer);
    }
  };
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

/** Sends one request; rejects with an ApiError for every answer but the promised one. */
export type Send = <R extends Route, Answer extends z.ZodType>(request: ApiRequest<R, Answer>) => Promise<Changed<z.output<Answer>>>;

const json = 'application/json';
const answerBytesMax = 64 * 1024 * 1024;

export function createSend(options: ApiClientOptions): Send {
  const { token, breakGlass, timeoutMs = 90_000, fetch: ask = fetch } = options;
  const base = options.baseUrl.replace(/\/+$/, '');
  return async (request) => {
    const { ifMatch = '*', idempotencyKey, ...query }: SendOptions = request.query ?? {};
    const [method = ''] = request.route.split(' ');
    const path = pathOf(request.route, request.at);
    const url = base + path + queryOf(query);
    const accept = `${request.takes ?? json}, application/problem+json`;
    const headers: Record<string, string> = { accept, authorization: `Bearer ${token}` };
    if (breakGlass !== undefined) headers[BREAK_GLASS_HEADER] = breakGlass;
    if (changing.has(method)) headers['if-match'] = ifMatch;
    if (idempotencyKey !== undefined) headers[IDEMPOTENCY_KEY_HEADER] = idempotencyKey;
    if (request.body !== undefined) headers['content-type'] = request.sends ?? json;
    if (request.stream !== undefined) headers['content-type'] = request.stream.contentType;
    const sent =
      request.stream === undefined
        ? { body: bodyOf(request), signal: AbortSignal.timeout(timeoutMs) }
        : { body: request.stream.chunks, duplex: 'half' };
    let response: Response;
    let text: string;
    try {
      // A redirect would carry the token to an address nobody chose.
      response = await ask(url, { method, headers, redirect: 'error', ...sent } as RequestInit);
      text = await readText(response);
    } catch (cause) {
      throw unanswered(base, cause, timeoutMs);
    }
    const revision = revisionOf(response);
    if (!response.ok) throw refusal(response, text, { revision, request: `${method} ${path}` });
    const answer = request.answer.safeParse(request.takes === undefined ? parseJson(text) : text);
    const lagging = response.headers.get(LAGGING_HEADER);
    if (answer.success) noteTag(answer.data, response);
    if (answer.success) return { value: answer.data, revision, ...(lagging !== null && { lagging: lagging.split(',') }) };
    const places = answer.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || '(all)'}: ${message}`);
    throw foreignAnswer(response.status, `${method} ${path} gave an answer this client does not understand: ${places.join('; ')}`);
  };
}

const changing: ReadonlySet<string> = new Set(['PATCH', 'PUT', 'DELETE']);
const tags = new WeakMap<object, string>();

function noteTag(answer: unknown, { headers }: Response): void {
  const tag = headers.get('etag');
  if (tag !== null && typeof answer === 'object' && answer !== null) tags.set(answer, tag);
}

/** The ETag that an answer of this client came with: which version it is of. Throws for what is no such answer, or a copy of one. */
export function etagOf(answer: object): string {
  const tag = tags.get(answer);
  if (tag === undefined) throw new TypeError('Nothing that was read from the control plane as it is here');
  return tag;
}

function bodyOf({ body, sends }: { body?: unknown; sends?: string }): string | null {
  if (body === undefined) return null;
  return sends !== undefined && typeof body === 'string' ? body : JSON.stringify(body);
}

async function readText(response: Response): Promise<string> {
  const bytes = Number(response.headers.get('content-length') ?? 0);
  if (bytes > answerBytesMax) throw new Error('the answer is too large');
  return response.text();
}

function queryOf(query: object = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function revisionOf(response: Response): number | null {
  const text = response.headers.get(REVISION_HEADER) ?? '';
  return /^\d+$/.test(text) ? Number(text) : null;
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(response: Response, text: string, { revision, request }: { revision: number | null; request: string }): ApiError {
  const problem = Problem.safeParse(parseJson(text));
  if (problem.success) return new ApiError(response.status, problem.data, revision ?? undefined, { request });
  return foreignAnswer(response.status, `Status ${response.status} without a problem document: is this the control plane?`);
}

const foreignAnswer = (status: number, title: string): ApiError => new ApiError(status, { type: 'about:blank', title, status });

function unanswered(base: string, cause: unknown, timeoutMs: number): ApiError {
  const isLate = cause instanceof Error && cause.name === 'TimeoutError';
  const title = isLate ? `${base} did not answer within ${timeoutMs / 1000} s` : `Nothing answers at ${base}`;
  return new ApiError(0, { type: 'about:blank', title, status: 0 }, undefined, { cause });
}
