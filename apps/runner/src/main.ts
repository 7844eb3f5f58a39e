import { createLogger, runProcess } from '@portcullis/boot';
import { installerEnvironment, loadConfig } from './config.js';
import { startRunner } from './runner.js';

const logger = createLogger({ name: 'runner' });
/** Beyond the grace of requests, what ending children may take. */
const CLOSE_MS_MAX = 30_000;

// Servers run as users of their own and have to read the packages that are installed here; what nobody else may read says so itself.
process.umask(0o022);

await runProcess(
  async (onClose) => {
    const config = loadConfig();
    logger.level = config.logLevel;
    const running = await startRunner({ ...config, installerEnvironment: installerEnvironment() }, logger, onClose);
    logger.info({ runner: config.runnerName, ...running }, 'Runner runs');
  },
  logger,
  { graceMs: CLOSE_MS_MAX },
);
