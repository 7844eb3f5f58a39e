import { readPort } from './config.js';
import { startEverything } from './everything-server.js';
import { runServer } from './serve-loopback.js';

await runServer('everything', startEverything(readPort()));
