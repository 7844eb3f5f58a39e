export { discardBody } from './discard-body.js';
export { readConfig, ConfigError, type ConfigFault } from './read-config.js';
export { redisAddress } from './redis-address.js';
export { createLogger, type Logger, type LogLevel } from './create-logger.js';
export { createMetrics, type Metrics, type MetricOptions } from './create-metrics.js';
export { startHealthServer, type HealthOptions, type HealthServer, type Readiness } from './start-health-server.js';
export { runProcess, type EndReason, type OnClose, type RunOptions } from './run-process.js';
export { ListenerTls, tlsFields, tlsFilesOf, type TlsFiles, type TlsServer } from './listener-tls.js';
export { sourceOf } from './source-of.js';
