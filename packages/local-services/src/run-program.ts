import { execFile } from 'node:child_process';

/** A program with its arguments, and who runs it. */
export interface Invocation {
  command: string;
  args: readonly string[];
  /** Numeric user and group to switch to; only root may ask for that. */
  user?: { uid: number; gid: number } | undefined;
  env?: Record<string, string>;
  cwd?: string;
}

/** What services inherit: PG* variables or an operator's secrets must not reach them. */
export const plainEnvironment = (extra: Record<string, string> = {}): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
  ...extra,
});

/** Runs a program to its end and gives its standard output. Rejects with the end of what it printed when it fails. */
export function runProgram(invocation: Invocation, input = ''): Promise<string> {
  const { command, args, user, env, cwd } = invocation;
  return new Promise((resolve, reject) => {
    const options = { ...user, env: plainEnvironment(env), cwd, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const tail = `${stderr}\n${stdout}`.trim().slice(-2000);
      reject(new Error(`${command} failed: ${tail || error.message}`, { cause: error }));
    });
    // A program that ends without reading its input closes the pipe: its exit code tells the story.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** The first of these programs that the caller's PATH knows, as an absolute path. */
export async function findProgram(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    const path = await new Promise<string>((resolve) => {
      execFile('/bin/sh', ['-c', 'command -v "$1"', 'sh', name], (error, stdout) => resolve(error ? '' : stdout.trim()));
    });
    if (path.startsWith('/')) return path;
  }
  return undefined;
}
