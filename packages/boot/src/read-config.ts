import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** One setting that cannot be used: its variable, and what is wrong with it. Never its value. */
export interface ConfigFault {
  variable: string;
  problem: string;
}

/** Every fault of a process's environment at once. */
export class ConfigError extends Error {
  readonly code = 'boot.config';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, problem }) => `  ${variable}: ${problem}`);
    super(['The configuration cannot be used:', ...lines].join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
    this.stack = this.message; // shown to whoever starts the process, whom our call stack does not help
  }
}

/**
 * Settings of a process from its environment: `redisUrl` from `REDIS_URL`, or from the file that `REDIS_URL_FILE` names. An empty variable counts as absent.
 * The result is frozen. Throws a ConfigError that lists all faults.
 */
// oxlint-disable-next-line node/no-process-env -- the one place the environment enters; config.ts of each app passes through here
export function readConfig<Shape extends z.ZodRawShape>(shape: Shape, env: NodeJS.ProcessEnv = process.env): Readonly<z.infer<z.ZodObject<Shape>>> {
  const faults: ConfigFault[] = [];
  const own = new Set(Object.keys(shape).map(variableOf));
  const values: Record<string, string | undefined> = {};
  for (const key of Object.keys(shape)) {
    const found = readVariable(variableOf(key), own, env);
    if (found.problem === undefined) values[key] = found.value;
    else faults.push({ variable: found.variable, problem: found.problem });
  }
  const parsed = z.object(shape).safeParse(values);
  const unreadable = new Set(faults.map(({ variable }) => variable.replace(/_FILE$/, '')));
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    const variable = variableOf(key);
    if (!unreadable.has(variable)) faults.push({ variable, problem: problemOf(issue.message, values[key]) });
  }
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults);
  return freeze(parsed.data);
}

/** `firstByteTimeoutMs` → `FIRST_BYTE_TIMEOUT_MS`. */
export function variableOf(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase();
}

interface Found {
  variable: string;
  value?: string | undefined;
  problem?: string;
}

function readVariable(variable: string, own: ReadonlySet<string>, env: NodeJS.ProcessEnv): Found {
  const fileVariable = `${variable}_FILE`;
  const value = env[variable] === '' ? undefined : env[variable];
  const file = own.has(fileVariable) ? '' : (env[fileVariable] ?? ''); // a setting of its own by that name is not our file
  if (file === '') return { variable, value };
  if (value !== undefined) return { variable, problem: `is set, and so is ${fileVariable}; keep one` };
  try {
    return { variable, value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { variable: fileVariable, problem: `the file cannot be read (${reason})` };
  }
}

function problemOf(message: string, value: string | undefined): string {
  if (value === undefined) return 'is required';
  return message.includes(value) ? 'is not valid' : message; // a schema's own message may quote what it was given
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return value; // byte arrays cannot be frozen
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
