import { readFile, rename, rm, stat, chmod, chown } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { clearEarlierRun } from './earlier-run.js';
import { LocalServiceError, type LocalService, type ProgressLog } from './local-service.js';
import { makeDirectory } from './make-directory.js';
import { onPort } from './on-port.js';
import { keptPassword } from './password.js';
import { postgresBinaries } from './postgres-binaries.js';
import { step } from './progress.js';
import { runProgram } from './run-program.js';
import { supervise, untilReady, type StopSignals } from './supervise.js';
import { asRunAs, unprivileged, type RunAs } from './unprivileged.js';

const USER = 'portcullis';
const DATABASE = 'portcullis';

// INT ends sessions and writes everything; QUIT leaves recovery to the next start.
const STOP: StopSignals = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];

export interface PostgresOptions {
  /** Where the data and the password are kept; made when missing, found again when not. */
  directory: string;
  /** Absent or 0: a free one. */
  port?: number | undefined;
  log?: ProgressLog | undefined;
  /** False gives up safety against power loss for speed: for tests only. Default true. */
  durable?: boolean;
}

/**
 * Starts a Postgres of the caller's own on 127.0.0.1 with a random password, and gives the URL of its database `portcullis`. Works as root, where
 * Postgres itself refuses to, and again on the same directory. Refuses with a LocalServiceError.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalService> {
  const directory = resolve(options.directory);
  const cluster = join(directory, 'cluster');
  const bin = await postgresBinaries();
  await makeDirectory('Postgres', directory);
  const runAs = await unprivileged('Postgres', join(bin, 'postgres'), directory, cluster);
  const pidFile = join(cluster, 'postmaster.pid');
  await clearEarlierRun({ name: 'Postgres', pidFile, directory: cluster, processNames: /postgres/ });
  const password = await keptPassword(join(directory, 'password'));
  if (!(await exists(cluster))) await step(options.log, 'Making the database', () => initialise(bin, directory, runAs));
  await refuseOtherVersion(bin, cluster);
  return onPort('Postgres', options.port, (port) => run({ ...options, directory, port }, bin, runAs, password));
}

async function run(options: PostgresOptions & { port: number }, bin: string, runAs: RunAs, password: string): Promise<LocalService> {
  const { directory, port, durable = true } = options;
  const cluster = join(directory, 'cluster');
  const logFile = join(directory, 'server.log');
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'timezone=UTC'];
  if (!durable) settings.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off');
  const args = ['-D', cluster, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const child = await supervise({ command: join(bin, 'postgres'), args, cwd: cluster, ...runAs }, logFile, STOP);
  // Postgres writes its own state there, so a stranger that answers on the port is never taken for it.
  const isReady = async (): Promise<boolean> => {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    return lines[0] === String(child.pid) && lines[7]?.trim() === 'ready';
  };
  await step(options.log, 'Starting Postgres', () => untilReady('Postgres', child, logFile, isReady));
  const url = `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
  return { url, port, pid: child.pid, exited: child.exited, stop: () => child.stop() };
}

/** Made to the side and renamed, so that an interrupted first start leaves nothing that looks finished. */
async function initialise(bin: string, directory: string, runAs: RunAs): Promise<void> {
  const unfinished = join(directory, 'cluster.unfinished');
  const password = join(directory, 'password');
  await rm(unfinished, { recursive: true, force: true });
  if (runAs.user) await chown(password, runAs.user.uid, runAs.user.gid);
  await chmod(password, 0o600);
  const who = ['-U', USER, '--pwfile', password, '-A', 'scram-sha-256'];
  const what = ['-D', unfinished, '-E', 'UTF8', '--locale=C', '--no-sync'];
  await runProgram(asRunAs(runAs, { command: join(bin, 'initdb'), args: [...what, ...who], cwd: directory }));
  const single = ['--single', '-D', unfinished, '-c', 'exit_on_error=on', 'postgres'];
  await runProgram(asRunAs(runAs, { command: join(bin, 'postgres'), args: single, cwd: directory }), `CREATE DATABASE ${DATABASE};\n`);
  await rename(unfinished, join(directory, 'cluster'));
}

async function refuseOtherVersion(bin: string, cluster: string): Promise<void> {
  const kept = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  const here = /\d+/.exec(await runProgram({ command: join(bin, 'postgres'), args: ['--version'] }))?.[0];
  if (kept === here) return;
  throw new LocalServiceError(
    'failed',
    `${cluster} was made by Postgres ${kept || '(unknown)'}, and the one here (${bin}) is ${here}. Install Postgres ${kept}, or use another data directory.`,
  );
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
