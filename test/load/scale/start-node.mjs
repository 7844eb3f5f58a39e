import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { served } from './scrape.mjs';

const MAIN = fileURLToPath(new URL('../../../apps/gateway/dist/main.js', import.meta.url));
const NOBODY = 'redis://127.0.0.1:1';

/** A node of its own beside a stack's: `start({ from })` gives the milliseconds until it serves, `stop`, `healthUrl` and `pid`. `args` are Node's own. */
export async function newNode({ stack, joinToken, port, name = 'scale-node', args = [], environment: added = {} }) {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-scale-node-'));
  const healthUrl = `http://127.0.0.1:${port + 1}`;
  let child;
  const environment = {
    ...process.env,
    HOST: '127.0.0.1',
    PORT: String(port),
    HEALTH_PORT: String(port + 1),
    NODE_NAME: name,
    DATA_DIR: directory,
    JOIN_TOKEN: joinToken,
    EXIT_WITH_PARENT: '1',
    LOG_LEVEL: 'error',
    ...added,
  };
  const stop = async () => {
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
    child = undefined;
  };
  return {
    healthUrl,
    stop,
    get pid() {
      return child.pid;
    },
    remove: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
    /** `redis`: all that it knows is who it is. `disk`: neither Redis nor the control plane is there. */
    async start({ from, revision }) {
      if (from === 'redis') await rm(join(directory, 'policy'), { recursive: true, force: true });
      const services =
        from === 'disk'
          ? { REDIS_URL: NOBODY, CONTROL_PLANE_URL: 'http://127.0.0.1:1' }
          : { REDIS_URL: stack.redisUrl, CONTROL_PLANE_URL: stack.controlPlaneUrl };
      const startedAt = performance.now();
      child = spawn(process.execPath, ['--max-semi-space-size=16', ...args, MAIN], {
        env: { ...environment, ...services },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const policy = await served(healthUrl, revision);
      return { ms: performance.now() - startedAt, policy };
    },
  };
}
