import { readDemoDatabaseUrl, readPort } from './config.js';
import { startPostgres } from './postgres-server.js';
import { runServer } from './serve-loopback.js';

await runServer('postgres', startPostgres(readPort(), readDemoDatabaseUrl()));
