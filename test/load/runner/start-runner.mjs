import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LaunchProfile, launchProfileText } from '@portcullis/contracts/runner/launch-profile';

const main = fileURLToPath(new URL('../../../apps/runner/dist/main.js', import.meta.url));
export const ACCESS_TOKEN = 'the token of this run';

/** Starts a built runner that hosts these profiles by slug, with a control plane that says nothing else: `{ pid, url, stop }`. */
export async function startRunner(profiles) {
  const assignments = Object.entries(profiles).map(([slug, input]) => {
    const profile = LaunchProfile.parse(input);
    const profileHash = createHash('sha256').update(launchProfileText(profile)).digest('hex');
    return { serverId: randomUUID(), slug, profileHash, profile, generation: 0, environmentVersion: null, sealedEnvironment: null };
  });
  const accessTokenHashes = [createHash('sha256').update(ACCESS_TOKEN).digest('hex')];
  const controlPlane = createServer((request, response) => {
    request.resume().on('end', () => {
      const isEnrolment = request.url.endsWith('/enrol');
      const answer = isEnrolment
        ? { runnerId: randomUUID(), runnerKey: 'key' }
        : { assignments, accessTokenHashes, revision: 1, heartbeatSeconds: 2 };
      response.end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await once(controlPlane, 'listening');
  const dataDir = mkdtempSync(join(tmpdir(), 'portcullis-bench-runner-'));
  chmodSync(dataDir, 0o711);
  const CONTROL_PLANE_URL = `http://127.0.0.1:${controlPlane.address().port}`;
  const names = { RUNNER_NAME: 'bench', JOIN_TOKEN: 'join', CONTROL_PLANE_URL };
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', HEALTH_PORT: '0', EXIT_WITH_PARENT: '1', ...names };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const port = await new Promise((resolve, reject) => {
    void ended.then(([code]) => reject(new Error(`the runner ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line);
      if (entry.level === 'error' || entry.level === 'fatal') console.error(line);
      if (entry.port !== undefined) resolve(entry.port);
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    controlPlane.close();
    controlPlane.closeAllConnections();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { pid: child.pid, url: (slug) => new URL(`http://127.0.0.1:${port}/servers/${slug}/mcp`), stop };
}
