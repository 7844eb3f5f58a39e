export { freePort, portIsFree } from './free-port.js';
export { LocalServiceError, type LocalService, type LocalServiceFault, type ProgressLog } from './local-service.js';
export { startPostgres, type PostgresOptions } from './start-postgres.js';
export { startRedis, type RedisOptions } from './start-redis.js';
