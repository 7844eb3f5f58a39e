import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const GENERATOR = fileURLToPath(new URL('generate-load.mjs', import.meta.url));

/**
 * One run of the load generator in a process of its own, and what it measured. `target` is `{ url, token, watch }`, where `watch` is groups of pids
 * by name; `load` is the generator's options.
 */
export async function measureLoad({ url, token = '', watch = {} }, load) {
  const groups = Object.entries(watch).flatMap(([name, pids]) => (pids.length > 0 ? ['--watch', `${name}=${pids.join(',')}`] : []));
  const options = Object.entries(load).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const timeout = 1000 * (Number(load.seconds) + 60);
  const env = { ...process.env, LOAD_TOKEN: token };
  const { stdout } = await promisify(execFile)(process.execPath, [GENERATOR, '--url', url, ...groups, ...options], { timeout, env });
  return JSON.parse(stdout);
}
