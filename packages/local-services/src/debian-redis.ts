import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalServiceError, type ProgressLog } from './local-service.js';
import { step } from './progress.js';
import { findProgram, runProgram } from './run-program.js';

/** A Redis-compatible server, and the environment its libraries need. */
export interface RedisBinary {
  command: string;
  env: Record<string, string>;
}

// Once per checkout, so that every data directory and every test finds it; a checkout that others own falls back to the home directory.
const workspaceCache = fileURLToPath(new URL('../../../.local/redis', import.meta.url));

/**
 * Debian's own package unpacked into a cache folder: nothing is installed and no root is needed. Undefined where there is no apt. Several
 * processes may do this at once; each finishes to the side and the first to finish stays.
 */
export async function debianRedis(
  log?: ProgressLog,
  caches: string[] = [workspaceCache, join(homedir(), '.cache/portcullis/redis')],
): Promise<RedisBinary | undefined> {
  for (const cache of caches) {
    const ready = await unpacked(cache);
    if (ready) return ready;
  }
  if (!(await findProgram('apt-get')) || !(await findProgram('dpkg-deb'))) return undefined;
  const home = await firstWritable(caches);
  const parent = dirname(home);
  const work = await mkdtemp(join(parent, 'redis-unfinished-'));
  try {
    const root = join(work, 'root');
    await mkdir(root);
    for (const archive of await download(work, log)) await runProgram({ command: 'dpkg-deb', args: ['-x', archive, root] });
    if (!(await unpacked(root))) throw new LocalServiceError('failed', "Debian's Redis package was unpacked but does not run on this machine.");
    await rename(root, home).catch(async (error: unknown) => {
      if (!(await unpacked(home))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return unpacked(home);
}

async function firstWritable(caches: string[]): Promise<string> {
  for (const cache of caches) {
    const made = await mkdir(dirname(cache), { recursive: true })
      .then(() => access(dirname(cache), 2))
      .then(
        () => true,
        () => false,
      );
    if (made) return cache;
  }
  throw new LocalServiceError(
    'not_permitted',
    `No folder to unpack Redis into: none of ${caches.map((cache) => dirname(cache)).join(', ')} is writable.`,
  );
}

async function unpacked(home: string): Promise<RedisBinary | undefined> {
  const libraries = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu', arm: 'arm-linux-gnueabihf' }[process.arch as string] ?? '';
  const env = { LD_LIBRARY_PATH: [join(home, 'usr/lib', libraries), join(home, 'lib', libraries)].join(':') };
  for (const name of ['redis-server', 'valkey-server']) {
    const command = join(home, 'usr/bin', name);
    const runs = await runProgram({ command, args: ['--version'], env }).then(
      () => true,
      () => false,
    );
    if (runs) return { command, env };
  }
  return undefined;
}

/** Fetches the server and what it needs beyond this machine's packages, with package lists of our own. */
async function download(work: string, log?: ProgressLog): Promise<string[]> {
  const archives = join(work, 'archives');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'archives']) await mkdir(join(work, folder), { recursive: true });
  const own = [
    `Dir::State=${work}/state`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${work}/cache`,
    'APT::Sandbox::User=',
    'Debug::NoLocking=1',
  ];
  const options = ['-qq', ...own.flatMap((option) => ['-o', option])];
  const apt = (...args: string[]): Promise<string> => runProgram({ command: 'apt-get', args: [...options, ...args], cwd: archives });
  try {
    // One broken source among several must not stop us: what matters is whether the package can be found afterwards.
    const updateFault = await step(log, 'Reading the package lists of this system, to fetch Redis', () =>
      apt('update').then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    const names = await packageNames(apt).catch((error: unknown) => {
      throw updateFault ?? error;
    });
    await step(log, `Downloading ${names.join(', ')}`, () => apt('download', ...names));
  } catch (error) {
    throw new LocalServiceError(
      'not_installed',
      `No Redis here, and fetching Debian's package failed. Install redis-server, or start one with "docker compose up -d redis" and set REDIS_URL. ${String(error)}`,
      { cause: error },
    );
  }
  return (await readdir(archives)).map((name) => join(archives, name));
}

async function packageNames(apt: (...args: string[]) => Promise<string>): Promise<string[]> {
  const plan = (name: string): Promise<string> => apt('--dry-run', '--no-install-recommends', 'install', name);
  const text = await plan('redis-server').catch(() => plan('valkey-server'));
  return [...text.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
}
