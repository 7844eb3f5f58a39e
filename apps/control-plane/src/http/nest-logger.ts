import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@portcullis/boot';

/** Nest's log lines in the process's own log, less its many lines about wiring. */
export function nestLogger(logger: Logger): LoggerService {
  const at =
    (level: 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...context: unknown[]): void => {
      const fields = { context: context.at(-1) };
      if (typeof message === 'object' && message !== null) logger[level]({ ...fields, ...message });
      else logger[level](fields, String(message));
    };
  return { log: at('debug'), debug: at('debug'), verbose: at('debug'), warn: at('warn'), error: at('error'), fatal: at('fatal') };
}
