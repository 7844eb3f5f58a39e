import fc from 'fast-check';

/** A JSON Schema, as far as the OpenAPI document uses it. */
export type Schema = Readonly<Record<string, unknown>>;

/** What an arbitrary needs to know beside its schema: the document's components, and names that exist. */
export interface Surroundings {
  readonly components: Readonly<Record<string, Schema>>;
  /** Ids and slugs of things that are there, so that requests get further than to a 404. */
  readonly known: readonly string[];
}

/** What no contract means, and what lies just beside. */
const hostile: readonly unknown[] = [
  null,
  '',
  ' ',
  'a\0b',
  '\ud800',
  '‮evil',
  "' OR 1=1 --",
  '../../etc/passwd',
  '${jndi:ldap://x}',
  'x'.repeat(20_000),
  '2026-02-30T25:61:00Z',
  '0001-01-01T00:00:00Z',
  '+292278994-01-01T00:00:00Z',
  'file:///etc/passwd',
  'http://169.254.169.254/',
  -1,
  0,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  true,
  [],
  [[]],
  {},
  { contains: '' },
  { not: null },
  { create: [{}] },
  JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`),
  Array.from({ length: 3000 }, (_, at) => at),
];

/** Addresses that nobody has to ask, so that a run stays on its machine: no name, no public network. */
const usualTime = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString());
const oddTimes = [
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+14:00',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59-14:00',
];
const urls = ['http://127.0.0.1:9/mcp', 'https://[::1]/', 'http://169.254.169.254/latest', 'https://10.0.0.1/mcp', 'http://localhost./x'];

const DEPTH_MAX = 6;

/** Values that a schema allows, most of the time; now and then a member of them is one that it does not. */
export function arbitraryOf(schema: Schema, around: Surroundings, depth = 0): fc.Arbitrary<unknown> {
  const allowed = allowedBy(schema, around, depth);
  return fc.oneof({ weight: 40, arbitrary: allowed }, { weight: 1, arbitrary: fc.constantFrom(...hostile) });
}

function allowedBy(schema: Schema, around: Surroundings, depth: number): fc.Arbitrary<unknown> {
  if (depth > DEPTH_MAX) return fc.constant(null);
  const { $ref, anyOf, oneOf, allOf, enum: names, type } = schema;
  if (typeof $ref === 'string') return allowedBy(around.components[$ref.split('/').at(-1) ?? ''] ?? {}, around, depth + 1);
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(names)) return fc.constantFrom(...(names as unknown[]));
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return fc.oneof(...(choices as Schema[]).map((one) => allowedBy(one, around, depth + 1)));
  if (Array.isArray(allOf))
    return fc.tuple(...(allOf as Schema[]).map((one) => allowedBy(one, around, depth + 1))).map((parts) => Object.assign({}, ...parts) as unknown);
  if (Array.isArray(type)) return fc.oneof(...(type as string[]).map((one) => allowedBy({ ...schema, type: one }, around, depth + 1)));
  if (type === 'object' || (type === undefined && 'properties' in schema)) return objectOf(schema, around, depth);
  if (type === 'array') {
    const items = arbitraryOf((schema['items'] ?? {}) as Schema, around, depth + 1);
    return fc.array(items, { minLength: numberOr(schema['minItems'], 0), maxLength: Math.min(numberOr(schema['maxItems'], 3), 3) });
  }
  return scalarOf(schema, around);
}

function objectOf(schema: Schema, around: Surroundings, depth: number): fc.Arbitrary<unknown> {
  const {
    properties = {},
    required = [],
    additionalProperties,
  } = schema as { properties?: Record<string, Schema>; required?: string[]; additionalProperties?: unknown };
  const members = Object.entries(properties).map(([name, member]) => {
    const value = arbitraryOf(member, around, depth + 1);
    return [name, required.includes(name) ? value : fc.option(value, { nil: undefined, freq: 2 })] as const;
  });
  const object = fc
    .record(Object.fromEntries(members))
    .map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)));
  if (typeof additionalProperties === 'object' && additionalProperties !== null) {
    const values = arbitraryOf(additionalProperties as Schema, around, depth + 1);
    return fc.tuple(object, fc.dictionary(fc.string({ maxLength: 8 }), values, { maxKeys: 2 })).map(([made, more]) => ({ ...more, ...made }));
  }
  const foreign = fc.constantFrom('id', 'role', 'revision', 'isAdmin', '__proto__', 'constructor', 'createdAt');
  const spoiled = fc
    .tuple(object, foreign)
    .map(([made, name]) => JSON.parse(`${JSON.stringify(made).slice(0, -1)}${Object.keys(made).length > 0 ? ',' : ''}"${name}":{}}`) as unknown);
  return fc.oneof({ weight: 30, arbitrary: object }, { weight: 1, arbitrary: spoiled });
}

function scalarOf(schema: Schema, { known }: Surroundings): fc.Arbitrary<unknown> {
  const { type, format, pattern } = schema;
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'integer' || type === 'number') {
    const min = numberOr(schema['minimum'], -5);
    const max = numberOr(schema['maximum'], Math.max(min, 0) + 1000);
    return fc.integer({ min: Math.ceil(Math.max(min, -(2 ** 40))), max: Math.floor(Math.min(max, 2 ** 40)) });
  }
  if (type !== 'string') return fc.jsonValue({ maxDepth: 2 });
  if (format === 'uuid') return fc.oneof(fc.constantFrom(...known.filter((one) => one.length === 36)), fc.uuid());
  if (format === 'uri') return fc.constantFrom(...urls);
  if (format === 'date-time') return fc.oneof({ weight: 3, arbitrary: usualTime }, { weight: 1, arbitrary: fc.constantFrom(...oddTimes) });
  const free =
    typeof pattern === 'string'
      ? matching(pattern)
      : fc.string({ minLength: numberOr(schema['minLength'], 0), maxLength: Math.min(numberOr(schema['maxLength'], 30), 30), unit: 'grapheme' });
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 2, arbitrary: free });
}

function matching(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: 40 });
  } catch {
    return fc.string({ maxLength: 20 });
  }
}

const numberOr = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);
