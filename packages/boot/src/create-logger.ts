import { pino, type DestinationStream, type Logger as PinoLogger, type LevelWithSilent } from 'pino';
import { loggable, loggableFields } from './loggable.js';
import { maskText } from './mask-text.js';

/** What processes write their log with. */
export type Logger = PinoLogger;

/** Severities, least first; `silent` writes nothing. */
export type LogLevel = LevelWithSilent;

const reserved = new Set(['level', 'time', 'process', 'pid']);

/**
 * A logger of one JSON line per event, to standard output. Fields named like secrets and text shaped like ours are masked, each text is capped at 4 KiB,
 * and logging never throws, whatever it is given. It writes synchronously: the last line before a crash is there.
 */
export function createLogger({ name, level = 'info' }: { name: string; level?: LogLevel }, destination?: DestinationStream): Logger {
  const logger = pino(
    {
      level,
      base: { process: name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => error }, // logMethod has made it loggable
      formatters: {
        level: (label) => ({ level: label }),
      },
      hooks: {
        logMethod(args, method) {
          method.apply(this, loggableArguments(args) as Parameters<typeof method>);
        },
        streamWrite: (line) => maskText(line).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'),
      },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
  // pino has no hook for the fields of a child logger; children inherit this one.
  const inherited = Object.getPrototypeOf(logger) as Logger;
  logger.child = function (this: Logger, bindings, options) {
    return inherited.child.call(this, withoutReserved(loggableFields(bindings)), options) as never;
  };
  return logger;
}

/** Keeps a field of foreign origin from appearing as a second `level` or `time`, which readers would take for the first. */
function withoutReserved(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [reserved.has(name) ? `${name}_` : name, value]));
}

function loggableArguments([first, ...rest]: unknown[]): unknown[] {
  const values = rest.map(loggable);
  if (typeof first !== 'object' || first === null) return [loggable(first) ?? String(first), ...values];
  const fields = isError(first) ? { err: loggable(first) } : withoutReserved(loggableFields(first));
  // A line about an error reads by itself: without words of its own it takes the error's.
  return values.length > 0 ? [fields, ...values] : [fields, ...messageOf(fields.err)];
}

function isError(value: object): boolean {
  try {
    return value instanceof Error;
  } catch {
    return false; // a proxy may refuse even this
  }
}

function messageOf(error: unknown): string[] {
  return typeof error === 'object' && error !== null && 'message' in error ? [String(error.message)] : [];
}
