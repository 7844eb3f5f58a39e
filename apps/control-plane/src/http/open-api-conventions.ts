import type { OpenAPIObject } from '@nestjs/swagger';
import { IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_REPLAYED_HEADER, Problem } from '@portcullis/contracts/api/conventions';
import { problemTable, type ProblemKey } from '@portcullis/contracts/errors';
import { z } from 'zod';
import { versionedRoutes } from '../changes/resource-versions.js';
import { AUDIT_EXTENSION, STREAMED_EXTENSION } from './route-marks.js';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Method = (typeof methods)[number];

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const;

const everyRouteAnswers: readonly ProblemKey[] = [
  'validation',
  'unauthenticated',
  'forbidden',
  'not_found',
  'rate_limited',
  'internal',
  'unavailable',
];
const everyChangeAnswers: readonly ProblemKey[] = ['conflict', 'too_large', 'unsupported_media_type', 'unprocessable'];

/** Adds to every operation what all of them have in common, so that no route has to say it. */
export function withConventions(document: OpenAPIObject): OpenAPIObject {
  const schemas = ((document.components ??= {}).schemas ??= {});
  // Having a name of its own, it is given as a reference to a definition beside it.
  Object.assign(schemas, z.toJSONSchema(Problem).$defs);
  for (const name of namesIn(Object.values(document.paths), schemas)) freeDefaults(schemas[name]);
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation === undefined) continue;
      describeProblems(operation, method === 'get' ? everyRouteAnswers : [...everyRouteAnswers, ...everyChangeAnswers]);
      if (!path.startsWith('/v1/node/')) describeConditions(operation, method, path);
    }
  }
  return document;
}

/** The components that requests are made of. */
function namesIn(paths: readonly PathItem[], schemas: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part ?? {}).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(name)) continue;
      found.add(name);
      look(schemas[name]);
    }
  };
  for (const path of paths) for (const method of methods) look(path[method]?.requestBody);
  return found;
}

/** What has a default need not be sent. */
function freeDefaults(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  const { properties, required } = schema as { properties?: Record<string, object>; required?: string[] };
  if (properties !== undefined && required !== undefined)
    Object.assign(schema, { required: required.filter((name) => !('default' in (properties[name] ?? {}))) });
  for (const part of Object.values(schema)) freeDefaults(part);
}

function describeProblems(operation: Operation, keys: readonly ProblemKey[]): void {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  for (const key of keys) operation.responses[String(problemTable[key].status)] ??= { description: problemTable[key].title, content };
}

function describeConditions(operation: Operation, method: Method, path: string): void {
  if (method === 'get') describeRead(operation);
  else if (method === 'post') describePost(operation);
  else if (versionedRoutes[path.replaceAll(/\{(\w+)\}/g, ':$1')] !== undefined) describeChange(operation);
  if (takes(operation, 'dryRun')) describeRehearsal(operation);
}

function describeRead(operation: Operation): void {
  const answer = operation.responses['200'];
  if (answer === undefined || '$ref' in answer) return;
  answer.headers = { ...answer.headers, ETag: { description: 'Which version this is.', schema: { type: 'string' } } };
  addHeader(operation, { name: 'If-None-Match', description: 'ETags of answers that the sender still has.', schema: { type: 'string' } });
  operation.responses['304'] = { description: 'It is as the sender has it.' };
}

function describeChange(operation: Operation): void {
  const description = 'The ETag of what is meant, or `*` for whatever it is by now.';
  addHeader(operation, { name: 'If-Match', required: true, description, schema: { type: 'string' } });
  describeProblems(operation, ['precondition_failed', 'precondition_required']);
}

function describePost(operation: Operation): void {
  // A question is answered as often as it is asked, and the same rows imported again change nothing.
  if (!Object.hasOwn(operation, AUDIT_EXTENSION) || Object.hasOwn(operation, STREAMED_EXTENSION)) return;
  const description = `Carried out once for each key and operator within 24 hours; a repetition is answered alike, with \`${IDEMPOTENCY_REPLAYED_HEADER}\`.`;
  addHeader(operation, { name: 'Idempotency-Key', description, schema: { type: 'string', minLength: 1, maxLength: IDEMPOTENCY_KEY_CHARS_MAX } });
}

function describeRehearsal(operation: Operation): void {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/ApplyResult' } } };
  operation.responses['200'] ??= { description: 'With `dryRun=true`: what would change.', content };
  operation.responses['202'] ??= { description: 'With `wait=all`: the change is made, and not every live node had applied it in time.' };
}

interface Header {
  readonly name: string;
  readonly required?: boolean;
  readonly description: string;
  readonly schema: { type: 'string'; minLength?: number; maxLength?: number };
}

function addHeader(operation: Operation, header: Header): void {
  (operation.parameters ??= []).push({ in: 'header', ...header });
}

const takes = ({ parameters = [] }: Operation, name: string): boolean => parameters.some((one) => 'name' in one && one.name === name);
