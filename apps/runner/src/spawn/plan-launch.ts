import { hash } from 'node:crypto';
import { join } from 'node:path';
import { stat } from 'node:fs/promises';
import type { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import type { PackageStore } from '../packages/package-store.js';
import { checkExecutable, LaunchRefusal } from '../sandbox/check-executable.js';
import { launchChain, type Sandbox, type ServerUser } from '../sandbox/sandbox.js';
import type { ServerUsers } from '../sandbox/server-users.js';
import type { Launch } from './child.js';

/** Obeyed by whatever program is started, before it does anything: the tools that put up the walls run as root, and get the child's environment. */
const LOADED_FIRST = /^(?:LD_.*|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_.*)$/;

/** What of this runner a launch depends on. */
export interface LaunchPlace {
  readonly sandbox: Sandbox;
  readonly packages: PackageStore;
  readonly users: ServerUsers;
  /** Servers without a working folder of their own have theirs here, and so have agents with a child of their own. */
  readonly workFolder: string;
}

/** A server to start, with the values of its secrets by name. */
export interface LaunchOrder {
  readonly serverId: string;
  readonly profile: LaunchProfile;
  /** Whose child it is, where each agent has its own. */
  readonly agentId?: string | undefined;
  readonly secrets: Readonly<Record<string, string>>;
}

/** A launch, and whose rights it has. */
export interface LaunchPlan extends Launch {
  readonly user: ServerUser | undefined;
}

/**
 * Turns an approved profile into the one command that it stands for: program and arguments letter for letter, behind the walls of this machine, with
 * no variable that it does not name but `HOME`, `TMPDIR`, and `PATH` where it is a package. Throws a LaunchRefusal.
 */
export async function planLaunch({ serverId, profile, agentId, secrets }: LaunchOrder, place: LaunchPlace): Promise<LaunchPlan> {
  const { sandbox, packages, users, workFolder } = place;
  const user = sandbox.isRoot ? users.of(serverId) : undefined;
  const first = user && Object.keys(profile.environment).find((name) => LOADED_FIRST.test(name));
  if (first !== undefined) throw new LaunchRefusal(`${first} would be obeyed by the programs that put up the walls around this one, as root`);
  const { command, path } = await commandOf(profile, packages, user);
  // Beside the server's, not in it: there the server could put a link in its place.
  const folder = agentId === undefined ? serverId : `${serverId}+${hash('sha256', agentId, 'hex')}`;
  const home = users.ownFolder(join(workFolder, folder), user);
  const cwd = profile.workingFolder ?? home;
  if (profile.workingFolder !== null) await checkFolder(cwd);
  const [file, ...args] = [...launchChain(sandbox, profile, user), ...command, ...profile.args];
  if (file === undefined) throw new TypeError('a launch has a program');
  const given = { HOME: home, TMPDIR: home, ...(path !== undefined && { PATH: path }) };
  return { file, args, cwd, environment: { ...given, ...environmentOf(profile, secrets) }, user };
}

async function commandOf(
  { program }: LaunchProfile,
  packages: PackageStore,
  user: ServerUser | undefined,
): Promise<{ command: readonly string[]; path?: string }> {
  if (program.kind !== 'executable') return packages.resolve(program);
  await checkExecutable(program.path, user);
  return { command: [program.path] };
}

async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new LaunchRefusal(`The working folder ${path} does not exist on this runner`);
}

function environmentOf({ environment }: LaunchProfile, secrets: Readonly<Record<string, string>>): Record<string, string> {
  const values = Object.entries(environment).map(([name, variable]): [string, string] => {
    if ('value' in variable) return [name, variable.value];
    const secret = Object.hasOwn(secrets, variable.secret) ? secrets[variable.secret] : undefined;
    if (secret === undefined) throw new LaunchRefusal(`The server's credential has no value for ${variable.secret}`);
    return [name, secret];
  });
  return Object.fromEntries(values);
}
