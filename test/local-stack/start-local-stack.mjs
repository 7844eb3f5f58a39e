import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createApiClient } from '@portcullis/api-client';

const COMMAND = fileURLToPath(new URL('../../apps/cli/bin/portcullis.mjs', import.meta.url));
const ATTEMPTS = 3;
const LINES_KEPT = 40;

/**
 * The real system from its built files, by `portcullis up`, with a data directory and ports of its own: `{ controlPlaneUrl, gatewayUrls, pids, api,
 * stop }`. It ends with this process, however that ends. `environment` is added to what its processes get. A `directory` that is given is kept, and may
 * hold what an earlier stack left.
 */
export async function startLocalStack({ nodes = 1, environment = {}, directory, say = () => undefined } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start({ nodes, environment, directory, say });
    } catch (error) {
      // Somebody may have taken a port between choosing and using it.
      if (attempt === ATTEMPTS || !/\bports?\b.*\btaken\b/i.test(error.message)) throw error;
    }
  }
}

async function start({ nodes, environment, directory, say }) {
  const data = directory ?? (await mkdtemp(join(tmpdir(), 'portcullis-stack-')));
  // Below the ports that systems give to outgoing connections, any of which may be in use.
  const base = String(20_000 + 100 * randomInt(0, 126));
  const args = [COMMAND, 'up', '--json', '--no-demo', '--nodes', String(nodes), '--data', data, '--port-base', base];
  const env = { ...process.env, EXIT_WITH_PARENT: '1', ...environment };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    if (directory === undefined) await rm(data, { recursive: true, force: true });
  };
  try {
    const ready = await readyLine(child, ended, say);
    return { ...ready, dataDirectory: data, api: createApiClient({ baseUrl: ready.controlPlaneUrl, token: ready.operatorToken }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the stack prints when it is ready; its last words when it ends instead. */
function readyLine(child, ended, say) {
  const lines = [];
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      say(line);
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
    });
    void ended.then((code) => reject(new Error(`portcullis up ended with ${code}:\n${lines.join('\n')}`)));
  });
}
