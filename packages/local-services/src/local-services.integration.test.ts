import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort, type LocalService, LocalServiceError, startPostgres, startRedis } from './index.js';
import { redisAnswers } from './redis-answers.js';

let home: string;
const running: LocalService[] = [];

// One folder for all: making a database takes seconds, and each test is another start on what the last one left.
beforeAll(async () => {
  // A space and a quote, as a person's folder may have.
  home = join(await mkdtemp(join(tmpdir(), 'portcullis-local-')), `it's data`);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});
afterAll(() => rm(join(home, '..'), { recursive: true, force: true }));

const kept = (service: LocalService): LocalService => {
  running.push(service);
  return service;
};
const postgres = async (port?: number): Promise<LocalService> =>
  kept(await startPostgres({ directory: join(home, 'postgres'), port, durable: false }));
const redis = async (port?: number): Promise<LocalService> => kept(await startRedis({ directory: join(home, 'redis'), persist: true, port }));
const faultOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}
const withoutPassword = (url: string): string => Object.assign(new URL(url), { password: 'wrong' }).href;
const passwordOf = (url: string): string => new URL(url).password;

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
/** Gone, or dead and only not collected yet, as happens where nothing adopts orphans. */
const isGone = async (pid: number): Promise<boolean> =>
  !isAlive(pid) || /^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: Z'));

async function listenerOn(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

describe('Postgres', () => {
  test('lets in who has the password and nobody else', async () => {
    const { url } = await postgres();
    expect(await query(url, 'SELECT current_database() AS name')).toEqual([{ name: 'portcullis' }]);
    await expect(query(withoutPassword(url), 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  test('listens on loopback only and opens no socket file', async () => {
    const { url } = await postgres();
    expect(await query(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(await query(url, 'SHOW unix_socket_directories')).toEqual([{ unix_socket_directories: '' }]);
  });

  test('finds its data and its password again at the next start', async () => {
    const first = await postgres();
    await query(first.url, 'CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS number');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await postgres();
    expect(passwordOf(second.url)).toBe(passwordOf(first.url));
    expect(await query(second.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }]);
  });

  test('starts over what a killed run left behind', async () => {
    const first = await postgres();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await postgres();
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('is not held off by a pid file whose number a stranger has now', async () => {
    const first = await postgres();
    await first.stop();
    await writeFile(join(home, 'postgres/cluster/postmaster.pid'), `${process.pid}\n`);
    await expect(postgres()).resolves.toMatchObject({ port: expect.any(Number) });
  });

  test('makes the database anew when the first start was interrupted', async () => {
    await rm(join(home, 'postgres'), { recursive: true, force: true });
    await mkdir(join(home, 'postgres/cluster.unfinished'), { recursive: true });
    await writeFile(join(home, 'postgres/cluster.unfinished/PG_VERSION'), '18\n');
    const { url } = await postgres();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('says when the data is of another version', async () => {
    await (await postgres()).stop();
    const file = join(home, 'postgres/cluster/PG_VERSION');
    const version = await readFile(file);
    await writeFile(file, '9\n');
    expect(await faultOf(postgres())).toMatchObject({ fault: 'failed', message: expect.stringMatching(/made by Postgres 9,/) });
    await writeFile(file, version);
  });
});

describe('Redis', () => {
  test('lets in who has the password and nobody else', async () => {
    const { url, port } = await redis();
    expect(await redisAnswers(port, passwordOf(url))).toBe(true);
    expect(await redisAnswers(port, 'wrong')).toBe(false);
  });

  test('finds its data and its password again at the next start', async () => {
    const first = await redis();
    await tell(first, 'SET kept 7');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await redis();
    expect(passwordOf(second.url)).toBe(passwordOf(first.url));
    expect(await tell(second, 'GET kept')).toContain('$1\r\n7\r\n');
  });

  test('never evicts, so that a backlog is refused and not lost', async () => {
    expect(await tell(await redis(), 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  });

  test('starts over what a killed run left behind', async () => {
    const first = await redis();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    expect(await tell(await redis(), 'PING')).toContain('+PONG');
  });
});

describe.each([
  { name: 'Postgres', start: postgres, folder: 'postgres' },
  { name: 'Redis', start: redis, folder: 'redis' },
])('$name', ({ name, start, folder }) => {
  test('names the live process of an earlier run and leaves it alone', async () => {
    const first = await start();
    const fault = await faultOf(start());
    expect(fault).toBeInstanceOf(LocalServiceError);
    expect(fault).toMatchObject({ fault: 'already_running', pid: first.pid, message: expect.stringContaining(`kill -INT ${first.pid}`) });
    expect(isAlive(first.pid)).toBe(true);
  });

  test('names a port that something else holds', async () => {
    const port = await freePort();
    const server = await listenerOn(port);
    const fault = await faultOf(start(port));
    expect(fault).toMatchObject({ fault: 'port_taken', port, message: expect.stringContaining(`Port ${port}, meant for ${name}, is taken`) });
    await new Promise((resolve) => server.close(resolve));
    expect((await start(port)).port).toBe(port);
  });

  test('says where it may not write', async () => {
    // A path below a file: not even root can make that.
    const blocked = join(home, 'a-file');
    await writeFile(blocked, '');
    const attempt = name === 'Redis' ? startRedis : startPostgres;
    expect(await faultOf(attempt({ directory: join(blocked, 'data'), persist: false }))).toMatchObject({ fault: 'not_permitted' });
  });

  test('keeps its password in a file that others cannot read, and out of its arguments and log', async () => {
    const { url, pid } = await start();
    const file = join(home, folder, 'password');
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect((await readFile(file, 'utf8')).trim()).toBe(passwordOf(url));
    const { stdout } = await promisify(execFile)('cat', [`/proc/${pid}/cmdline`, join(home, folder, 'server.log')]);
    expect(stdout).not.toContain(passwordOf(url));
  });

  test('may be stopped twice', async () => {
    const service = await start();
    await Promise.all([service.stop(), service.stop()]);
    await service.stop();
    await service.exited;
    expect(isAlive(service.pid)).toBe(false);
  });
});

test('both end when the program that started them is killed', async () => {
  const script = `
    const { startPostgres, startRedis } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    const started = await Promise.all([
      startPostgres({ directory: process.argv[1] + '/postgres', durable: false }),
      startRedis({ directory: process.argv[1] + '/redis', persist: false }),
    ]);
    console.log(JSON.stringify(started.map((service) => service.pid)));`;
  const program = spawn(process.execPath, ['--import', resolveSource, '--input-type=module', '-e', script, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => program.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  const pids = JSON.parse(line) as number[];
  expect(pids).toHaveLength(2);
  program.kill('SIGKILL');
  for (const pid of pids) await vi.waitFor(async () => expect(await isGone(pid)).toBe(true), { timeout: 30_000 });
});

/** Node strips the types by itself, but does not look for index.ts where index.js is named. */
const resolveSource = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ resolve: (name, context, next) => next(name.startsWith('./') ? name.replace(/\\.js$/, '.ts') : name, context) });
`)}`;

async function tell(service: LocalService, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(service.port, '127.0.0.1', () => socket.end(`AUTH ${passwordOf(service.url)}\r\n${command}\r\n`));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.once('error', reject).once('close', () => resolve(answer));
  });
}
