import { readPort } from './config.js';
import { startGithub } from './github-server.js';
import { runServer } from './serve-loopback.js';

await runServer('github', startGithub(readPort()));
