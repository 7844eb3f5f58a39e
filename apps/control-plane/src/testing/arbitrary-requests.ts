import fc from 'fast-check';
import { arbitraryOf, type Schema, type Surroundings } from './arbitrary-of.js';

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

/** What the OpenAPI document says of one operation. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly statuses: ReadonlySet<string>;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly type: string; readonly schema: Schema } | undefined;
  /** What it answers where it does what it is asked. */
  readonly answers: readonly Schema[];
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface RawOperation {
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  readonly requestBody?: { readonly content: Content };
}

/** Every operation of an OpenAPI document. */
export function operationsOf(document: { readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>> }): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { parameters = [], responses, requestBody }]) => {
      const [content] = Object.entries(requestBody?.content ?? {});
      const body = content === undefined ? undefined : { type: content[0], schema: content[1].schema };
      const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      const answers = good.flatMap(([, { content: given = {} }]) => Object.values(given).map(({ schema }) => schema));
      const statuses = new Set(Object.keys(responses));
      return { method: method.toUpperCase() as Operation['method'], path, statuses, parameters, body, answers };
    }),
  );
}

/** A request as it goes out. */
export interface FuzzRequest {
  readonly method: Operation['method'];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string | undefined;
}

const TAGS = ['*', '*', '*', '*', '*', '*', '*', '*', '*', '"1.x"', 'W/"1"', '"', 'x'.repeat(5000)];
/** Waiting is a feature, and no test's. */
const PATIENCE: Readonly<Record<string, string>> = { waitSeconds: '0', timeout: '1' };

/** Requests to one operation: mostly such as it means, some that nearly are, by whoever holds one of these tokens. */
export function requestsOf(operation: Operation, tokens: readonly string[], around: Surroundings): fc.Arbitrary<FuzzRequest> {
  const { method, path, parameters, body } = operation;
  const inPath = fc.record(
    Object.fromEntries(parameters.filter((one) => one.in === 'path').map((one) => [one.name, arbitraryOf(one.schema, around)])),
  );
  const inQuery = parameters.filter((one) => one.in === 'query');
  const query = fc.record(
    Object.fromEntries(
      inQuery.map((one) => [
        one.name,
        PATIENCE[one.name] !== undefined
          ? fc.constant(PATIENCE[one.name])
          : one.required === true
            ? arbitraryOf(one.schema, around)
            : fc.option(arbitraryOf(one.schema, around), { nil: undefined, freq: 1 }),
      ]),
    ),
  );
  const payload = body === undefined ? fc.constant(undefined) : arbitraryOf(body.schema, around).map((value) => textOf(value, body.type));
  const tag = method === 'GET' || method === 'POST' ? fc.constant(undefined) : fc.constantFrom(...TAGS, undefined);
  const key = method === 'POST' ? fc.constantFrom(undefined, undefined, 'again', 'x'.repeat(300)) : fc.constant(undefined);
  return fc
    .record({ inPath, query, payload, token: fc.constantFrom(...tokens), tag, key })
    .map(({ inPath: places, query: asked, payload: sent, token, tag: ifMatch, key: idempotencyKey }) => ({
      method,
      url: urlOf(path, places, asked),
      payload: sent,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(sent === undefined || body === undefined ? {} : { 'content-type': body.type }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
    }));
}

function textOf(value: unknown, type: string): string {
  if (type !== 'application/json' && typeof value === 'string') return value;
  return JSON.stringify(value) ?? '';
}

function urlOf(path: string, places: Readonly<Record<string, unknown>>, asked: Readonly<Record<string, unknown>>): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encoded(places[name]).slice(0, 2000) || '-');
  const query = Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encoded(value).slice(0, 2000)}`);
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}

/** Half a surrogate pair cannot be written in a URL: what a careless client makes of it is sent. */
function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}
