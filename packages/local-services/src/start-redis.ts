import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { debianRedis, type RedisBinary } from './debian-redis.js';
import { clearEarlierRun } from './earlier-run.js';
import { LocalServiceError, type LocalService, type ProgressLog } from './local-service.js';
import { makeDirectory } from './make-directory.js';
import { onPort } from './on-port.js';
import { keptPassword } from './password.js';
import { step } from './progress.js';
import { redisAnswers } from './redis-answers.js';
import { findProgram } from './run-program.js';
import { supervise, untilReady, type StopSignals } from './supervise.js';

const STOP: StopSignals = [
  ['SIGTERM', 15_000],
  ['SIGKILL', 5_000],
];

export interface RedisOptions {
  /** Where its password, settings and data are kept; made when missing, found again when not. */
  directory: string;
  /** Absent or 0: a free one. */
  port?: number | undefined;
  /** True: an append-only file, written to disk every second. False: everything is gone when it ends. */
  persist: boolean;
  log?: ProgressLog | undefined;
  /** Memory above which writes are refused; nothing is ever evicted. Default 512. */
  memoryMaxMb?: number;
}

/**
 * Starts a Redis of the caller's own on 127.0.0.1 with a random password. Takes `redis-server` or `valkey-server` from PATH, else fetches Debian's
 * package. Refuses with a LocalServiceError.
 */
export async function startRedis(options: RedisOptions): Promise<LocalService> {
  const directory = resolve(options.directory);
  const binary = await redisBinary(options.log);
  await makeDirectory('Redis', directory);
  await clearEarlierRun({ name: 'Redis', pidFile: join(directory, 'redis.pid'), directory, processNames: /redis|valkey/ });
  const password = await keptPassword(join(directory, 'password'));
  return onPort('Redis', options.port, (port) => run({ ...options, directory, port }, binary, password));
}

async function redisBinary(log?: ProgressLog): Promise<RedisBinary> {
  const installed = await findProgram('redis-server', 'valkey-server');
  const found = installed ? { command: installed, env: {} } : await debianRedis(log);
  if (found) return found;
  throw new LocalServiceError(
    'not_installed',
    'No Redis here: install redis-server or valkey-server, or start one with "docker compose up -d redis" and set REDIS_URL.',
  );
}

async function run(options: RedisOptions & { port: number }, binary: RedisBinary, password: string): Promise<LocalService> {
  const { directory, port, persist, memoryMaxMb = 512 } = options;
  const logFile = join(directory, 'server.log');
  const settingsFile = join(directory, 'redis.conf');
  const settings = {
    bind: '127.0.0.1',
    port,
    // In a file, not among the arguments: every user of the machine can read those.
    requirepass: password,
    dir: JSON.stringify(directory),
    pidfile: JSON.stringify(join(directory, 'redis.pid')),
    daemonize: 'no',
    appendonly: persist ? 'yes' : 'no',
    appendfsync: 'everysec',
    save: '""',
    maxmemory: `${memoryMaxMb}mb`,
    'maxmemory-policy': 'noeviction',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
  await writeFile(settingsFile, lines.join(''), { mode: 0o600 });
  const child = await supervise({ command: binary.command, args: [settingsFile], cwd: directory, env: binary.env }, logFile, STOP);
  await step(options.log, 'Starting Redis', () => untilReady('Redis', child, logFile, () => redisAnswers(port, password)));
  return { url: `redis://:${password}@127.0.0.1:${port}`, port, pid: child.pid, exited: child.exited, stop: () => child.stop() };
}
