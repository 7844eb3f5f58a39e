import { readPort } from './config.js';
import { runServer } from './serve-loopback.js';
import { startSlack } from './slack-server.js';

await runServer('slack', startSlack(readPort()));
