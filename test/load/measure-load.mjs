import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COUNT = ['perf', 'stat', '-x,', '-e', 'instructions:u'];
const GENERATOR = fileURLToPath(new URL('generate-load.mjs', import.meta.url));

/**
 * One run of the load generator in a process of its own, and what it measured. `target` is `{ url, token, watch }`, where `watch` is groups of pids
 * by name; `load` is the generator's options. `instructionsOf` is a process whose user instructions per call are counted too, where `perf` can.
 */
export async function measureLoad({ url, token = '', watch = {} }, load, { instructionsOf } = {}) {
  const groups = Object.entries(watch).flatMap(([name, pids]) => (pids.length > 0 ? ['--watch', `${name}=${pids.join(',')}`] : []));
  const options = Object.entries(load).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const timeout = 1000 * (Number(load.seconds) + 60);
  const env = { ...process.env, LOAD_TOKEN: token };
  const command = [process.execPath, GENERATOR, '--url', url, ...groups, ...options];
  const counted = instructionsOf !== undefined && (await canCount());
  const [program, ...args] = counted ? [...COUNT, '-p', String(instructionsOf), ...command] : command;
  const { stdout, stderr } = await run(program, args, { timeout, env });
  const result = JSON.parse(stdout);
  return counted ? { ...result, instructions: Number(/^(\d+),/m.exec(stderr)?.[1]) / result.good } : result;
}

let known;
const canCount = () =>
  (known ??= run(COUNT[0], [...COUNT.slice(1), 'true']).then(
    () => true,
    () => false,
  ));
