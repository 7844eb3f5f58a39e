import { capText } from './mask-text.js';

const depthMax = 6;
const entriesMax = 100;
const valuesMax = 500;
const keyCharsMax = 128;

const secretNames = new Set(
  'authorization proxyauthorization cookie setcookie key masterkey privatekey signingkey sealingkey agentkey pepper passphrase credential credentials'.split(
    ' ',
  ),
);
const secretEndings = /(?:token|tokens|secret|secrets|password|passwd|apikey)$/;

interface Walk {
  seen: Set<object>;
  valuesLeft: number;
}

/** A plain, finite, harmless copy of anything: no secret by name or by shape, every text capped, cycles cut, and nothing in it can throw. */
export function loggable(value: unknown): unknown {
  return copy(value, 0, { seen: new Set(), valuesLeft: valuesMax });
}

/** The same for the fields of one line. */
export function loggableFields(fields: object): Record<string, unknown> {
  try {
    return copyFields(fields, 0, { seen: new Set([fields]), valuesLeft: valuesMax });
  } catch {
    return { fields: '[unreadable]' };
  }
}

/** Whether a field of this name holds something that opens a door. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_.]/g, '');
  return secretNames.has(plain) || secretEndings.test(plain);
}

function copy(value: unknown, depth: number, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
      return capText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return value.toString().slice(0, keyCharsMax);
    case 'function':
    case 'symbol':
      return `[${typeof value}]`;
    case 'object':
      return value === null ? null : copyObject(value, depth, walk);
    default:
      return value;
  }
}

function copyObject(value: object, depth: number, walk: Walk): unknown {
  walk.valuesLeft -= 1;
  if (walk.seen.has(value)) return '[circular]';
  if (depth >= depthMax || walk.valuesLeft < 0) return '[cut]';
  walk.seen.add(value);
  try {
    if (value instanceof Error) return copyError(value, depth, walk);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof URL) return capText(value.href);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
    if (Array.isArray(value)) return copyArray(value, depth, walk);
    return copyFields(value, depth, walk);
  } catch {
    return '[unreadable]'; // a proxy, or an accessor that throws
  } finally {
    walk.seen.delete(value); // the same thing twice side by side is no cycle
  }
}

function copyArray(values: unknown[], depth: number, walk: Walk): unknown[] {
  const kept = values.slice(0, entriesMax).map((entry) => copy(entry, depth + 1, walk));
  return values.length > entriesMax ? [...kept, `[${values.length - entriesMax} more]`] : kept;
}

function copyFields(fields: object, depth: number, walk: Walk): Record<string, unknown> {
  const names = Object.keys(fields);
  const kept = names.slice(0, entriesMax).map((name): [string, unknown] => [capName(name), copyField(fields, name, { depth, walk })]);
  if (names.length > entriesMax) kept.push(['…', `[${names.length - entriesMax} more]`]);
  return Object.fromEntries(kept);
}

function copyField(fields: object, name: string, { depth, walk }: { depth: number; walk: Walk }): unknown {
  let value: unknown;
  try {
    value = Reflect.get(fields, name);
  } catch {
    return '[unreadable]';
  }
  // Counts and flags stay readable: `inputTokens: 12` opens nothing.
  const opensNothing = value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean';
  return isSecretName(name) && !opensNothing ? '[redacted]' : copy(value, depth + 1, walk);
}

function copyError(error: Error, depth: number, walk: Walk): Record<string, unknown> {
  const part = (name: string) => copyField(error, name, { depth, walk });
  const copied: Record<string, unknown> = { ...copyFields(error, depth, walk), type: part('name'), message: part('message'), stack: part('stack') };
  if ('cause' in error && error.cause !== undefined) copied.cause = part('cause');
  if (error instanceof AggregateError) copied.errors = part('errors');
  return copied;
}

function capName(name: string): string {
  return capText(name).slice(0, keyCharsMax);
}
