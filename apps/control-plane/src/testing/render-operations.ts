import type { Schema } from './arbitrary-of.js';
import type { Operation } from './arbitrary-requests.js';

/** TypeScript of all that an OpenAPI document describes: a type for each component, and the operations with what goes in and comes out. */
export function renderOperations(components: Readonly<Record<string, Schema>>, operations: readonly Operation[]): string {
  const types = Object.entries(components)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`);
  const rows = operations
    .map(
      (operation) =>
        `  '${operation.method} ${operation.path}': { query: ${queryOf(operation)}; body: ${bodyOf(operation)}; answer: ${answerOf(operation)} };`,
    )
    .sort();
  const head = '// Made from the OpenAPI document of the control plane; a test holds it against that and writes it anew with --update=all.\n';
  return `${head}\n${types.join('\n')}\nexport interface Operations {\n${rows.join('\n')}\n}\n`;
}

const parenthesized = (type: string): string => (/[|&]/.test(type) ? `(${type})` : type);

function typeOf(schema: Schema): string {
  const { $ref, anyOf, oneOf, allOf, enum: names, type } = schema;
  if (typeof $ref === 'string') return $ref.split('/').at(-1) ?? 'unknown';
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(names)) return unionOf(names.map((name) => JSON.stringify(name)));
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return unionOf((choices as Schema[]).map(typeOf));
  if (Array.isArray(allOf)) return (allOf as Schema[]).map((one) => parenthesized(typeOf(one))).join(' & ');
  if (Array.isArray(type)) return unionOf((type as string[]).map((one) => typeOf({ ...schema, type: one })));
  if (type === 'object' || (type === undefined && 'properties' in schema)) return objectOf(schema);
  if (type === 'array') return `${parenthesized(typeOf((schema['items'] ?? {}) as Schema))}[]`;
  if (type === 'integer') return 'number';
  return typeof type === 'string' ? type : 'unknown';
}

const unionOf = (types: readonly string[]): string => [...new Set(types)].join(' | ');

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): string {
  const needed = new Set(required as string[]);
  const members = Object.entries(properties as Record<string, Schema>).map(([name, member]) => memberOf(name, typeOf(member), needed.has(name)));
  if (members.length > 0) return `{ ${members.join('; ')} }`;
  const isOpen = typeof additionalProperties === 'object' && additionalProperties !== null;
  return isOpen ? `{ [name: string]: ${typeOf(additionalProperties as Schema)} }` : 'object';
}

function memberOf(name: string, type: string, isRequired: boolean): string {
  const key = /^\w+$/.test(name) ? name : `'${name}'`;
  return isRequired ? `${key}: ${type}` : `${key}?: ${type} | undefined`;
}

function queryOf({ parameters }: Operation): string {
  const members = parameters
    .filter((one) => one.in === 'query')
    .map(({ name, required, schema }) => memberOf(name, parameterOf(schema), required === true));
  return members.length === 0 ? 'object' : `{ ${members.join('; ')} }`;
}

/** What is a text in a URL may be a truth value for whoever writes one. */
const parameterOf = (schema: Schema): string => (String(schema['enum']) === 'true,false' ? 'boolean | "true" | "false"' : typeOf(schema));

const bodyOf = ({ body }: Operation): string => (body === undefined ? 'undefined' : typeOf(body.schema));

const answerOf = ({ answers, statuses }: Operation): string =>
  unionOf([...answers.map(typeOf), ...(answers.length === 0 || statuses.has('204') ? ['undefined'] : [])]);
