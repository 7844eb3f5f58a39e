import closeWithGrace from 'close-with-grace';
import { z } from 'zod';
import { ConfigError, readConfig } from './read-config.js';
import type { Logger } from './create-logger.js';

/** Why a process ends. */
export interface EndReason {
  signal?: string;
  error?: unknown;
}

/** Registers what must happen before the process ends. Last registered runs first, one after another, each even if another fails. */
export type OnClose = (name: string, closer: (reason: EndReason) => unknown) => void;

/** How a process ends. */
export interface RunOptions {
  /** How long closers may take together before the process ends without them. Default 10 s. */
  graceMs?: number;
  /** End when the process that started us is gone, even if it was killed. Default: whether `EXIT_WITH_PARENT` is 1. */
  exitWithParent?: boolean;
}

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const repeatMs = 1000;
const parentPollMs = 250;

/**
 * Runs a process: `main` starts it and registers closers, which run at SIGTERM, SIGINT, SIGHUP, when the parent is gone, and after an error nobody caught.
 * Exit code 0 means asked to end and closed in time; anything else is 1. A second signal, a second after the first or later, ends it at once.
 */
export async function runProcess(main: (onClose: OnClose) => Promise<void>, logger: Logger, options: RunOptions = {}): Promise<void> {
  const { graceMs = 10_000, exitWithParent = readConfig({ exitWithParent: z.stringbool().default(false) }).exitWithParent } = options;
  // A report of Node's about a crash, should one be asked for, holds the whole environment else, and our secrets come in it.
  process.report.excludeEnv = true;
  const closers: { name: string; closer: (reason: EndReason) => unknown }[] = [];
  let reason: EndReason | undefined;
  let outcome: 'ended' | 'failed' = 'ended';

  const grace = closeWithGrace(
    {
      delay: graceMs,
      logger: false,
      skip: [...signals],
      onSecondError: (error) => logger.fatal({ err: error }, 'Second error while closing'),
      onTimeout: () => logger.fatal({ graceMs }, 'Not closed in time'),
    },
    async (event: object) => {
      // By presence, not by value: `throw undefined` is an error too.
      if ('err' in event) {
        reason = { error: event.err };
        outcome = 'failed';
        logger.fatal({ err: event.err }, 'Error that nobody caught');
      }
      if (!(await closeAll(closers, reason ?? {}, logger))) outcome = 'failed';
      logger.info({ outcome }, 'Process ends');
      if (outcome === 'failed') throw new Error('failed'); // exit code 1
    },
  );
  const end = (why: EndReason) => {
    reason = why;
    grace.close();
  };
  onSignals(logger, (signal) => end({ signal }));
  if (exitWithParent) watchParent(logger, () => end({ signal: 'parent gone' }));

  try {
    await main((name, closer) => closers.push({ name, closer }));
  } catch (error) {
    outcome = 'failed';
    if (error instanceof ConfigError) logger.fatal({ faults: error.faults }, error.message);
    else logger.fatal({ err: error }, 'Process could not start');
    if (reason === undefined) end({ error });
  }
}

async function closeAll(closers: { name: string; closer: (reason: EndReason) => unknown }[], reason: EndReason, logger: Logger): Promise<boolean> {
  let isClean = true;
  // Popped, so that what is registered while closing is closed too.
  for (let next = closers.pop(); next !== undefined; next = closers.pop()) {
    try {
      await next.closer(reason);
    } catch (error) {
      isClean = false;
      logger.error({ err: error, closer: next.name }, 'Closing failed');
    }
  }
  return isClean;
}

function onSignals(logger: Logger, end: (signal: string) => void): void {
  let firstAt: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        logger.info({ signal }, 'Signal received, closing');
        end(signal);
      } else if (performance.now() - firstAt >= repeatMs) {
        // One Ctrl-C arrives several times: from the terminal and again from whoever started us.
        logger.fatal({ signal }, 'Second signal, ending at once');
        process.exit(1);
      }
    });
  }
}

/** An orphan is adopted, so its parent's id changes. The poll needs nothing from the parent, which may have been killed. */
function watchParent(logger: Logger, end: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    logger.warn({ parent }, 'Parent process is gone, closing');
    end();
  }, parentPollMs);
  timer.unref();
}
