import { chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LocalServiceError } from './local-service.js';
import { findProgram, runProgram, type Invocation } from './run-program.js';

/** Who a service runs as: words to put before its command, or a user to switch to. */
export interface RunAs {
  readonly wrap: readonly string[];
  readonly user?: { uid: number; gid: number };
}

export const asRunAs = ({ wrap, user }: RunAs, program: Invocation): Invocation => {
  const [command = program.command, ...args] = [...wrap, program.command, ...program.args];
  return { ...program, command, args, user };
};

/**
 * Finds who can run a server that refuses root, reaching both its binary and its data directory; the directory is handed over when the answer
 * is another user. For an ordinary caller that is the caller. Refuses with `not_permitted` when nobody will do.
 */
export async function unprivileged(name: string, binary: string, directory: string, cluster: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { wrap: [] };
  const owner = await ownerOf(cluster);
  const candidates = owner && owner.uid !== 0 ? [{ wrap: [], user: owner }] : await candidatesOfRoot(directory);
  const before = await stat(directory);
  for (const candidate of candidates) {
    if (candidate.user) await chown(directory, candidate.user.uid, candidate.user.gid);
    if (await reaches(candidate, binary, directory)) return candidate;
    await chown(directory, before.uid, before.gid);
  }
  throw new LocalServiceError(
    'not_permitted',
    `${name} refuses to run as root. This machine refuses user namespaces (unshare --user), and no unprivileged user here reaches both ${binary} and ${directory}. Run this as an ordinary user, or use a data directory that others may enter (such as one under /var/lib), or set DATABASE_URL.`,
  );
}

/** Root as an ordinary user of its own namespace needs no other user and changes no owner, so it comes first. */
async function candidatesOfRoot(directory: string): Promise<RunAs[]> {
  const unshare = await findProgram('unshare');
  const above = await ownerOf(dirname(directory));
  const users = [above?.uid ? above : undefined, await systemUser('postgres'), await systemUser('nobody')];
  return [
    ...(unshare ? [{ wrap: [unshare, '--user', '--map-user=1000', '--map-group=1000', '--'] }] : []),
    ...users.flatMap((user) => (user ? [{ wrap: [], user }] : [])),
  ];
}

const ownerOf = (path: string): Promise<{ uid: number; gid: number } | undefined> =>
  stat(path).then(
    ({ uid, gid }) => ({ uid, gid }),
    () => undefined,
  );

async function systemUser(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const id = (flag: string): Promise<number> => runProgram({ command: 'id', args: [flag, name] }).then(Number);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    return undefined;
  }
}

const reaches = (runAs: RunAs, binary: string, directory: string): Promise<boolean> =>
  runProgram(asRunAs(runAs, { command: '/bin/sh', args: ['-c', 'test -x "$1" && test -w "$2" && cd "$2"', 'sh', binary, directory] })).then(
    () => true,
    () => false,
  );
