import { createLogger, runProcess } from '@portcullis/boot';
import { loadConfig } from './config.js';
import { startNode } from './node.js';
import { tuneCollector } from './process/tune-collector.js';

tuneCollector();
const logger = createLogger({ name: 'gateway' });
/** Beyond the grace of calls, what flushing the audit spool may take. */
const CLOSE_MS_MAX = 60_000;

await runProcess(
  async (onClose) => {
    const config = loadConfig();
    logger.level = config.logLevel;
    const node = await startNode(config, logger, onClose);
    logger.info({ node: config.nodeName, ...node }, 'Gateway node runs');
  },
  logger,
  { graceMs: CLOSE_MS_MAX },
);
