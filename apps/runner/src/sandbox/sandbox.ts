import type { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import type { SandboxReport, SandboxWall } from '@portcullis/contracts/runner/status';

/** The tools a sandbox is made of, where this machine has them. */
export interface SandboxTools {
  readonly setpriv: string | undefined;
  readonly prlimit: string | undefined;
  readonly unshare: string | undefined;
  readonly shell: string | undefined;
}

/** What this machine allows, as it was found out by trying. */
export interface Sandbox {
  readonly tools: SandboxTools;
  readonly isRoot: boolean;
  /** Flags of `unshare` that work here, those for a network of its own apart. */
  readonly namespaces: readonly string[];
  readonly networkFlag: string | undefined;
  /** Whether the first process of a pid namespace can be one that reaps orphans and adds nothing to the environment. */
  readonly hasInit: boolean;
  readonly report: SandboxReport;
}

/** Whose rights a child has; undefined where it has to run as the runner itself. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const MIB = 1024 * 1024;
/** Threads count as processes to the kernel; the exact number is watched. */
const TASKS_BEYOND_PROCESSES = 32;
/** Address space that runtimes take and do not use. What is used is watched; this only stops who takes all of it between two looks. */
const DATA_BEYOND_MEMORY_MIB = 1024;

/** Reaps orphans while it waits for the program that its arguments name; nothing of the profile is ever read by the shell. */
const INIT = 'unset PWD OLDPWD SHLVL; "$@"; exit $?';

/** The command that starts a program behind every wall that this machine can put up. The program and its arguments stay what they are. */
export function launchChain(
  sandbox: Sandbox,
  profile: Pick<LaunchProfile, 'limits' | 'network' | 'instances'>,
  user: ServerUser | undefined,
): readonly string[] {
  const { tools, namespaces, networkFlag, hasInit } = sandbox;
  const chain: string[] = [];
  // First of all: whatever kills the runner ends everything behind this.
  if (tools.setpriv !== undefined) chain.push(tools.setpriv, '--pdeathsig', 'KILL', '--');
  if (tools.prlimit !== undefined) chain.push(tools.prlimit, ...limitFlags(profile, user !== undefined), '--');
  if (tools.unshare !== undefined && namespaces.length > 0) {
    const network = profile.network === 'none' && networkFlag !== undefined ? [networkFlag] : [];
    chain.push(tools.unshare, ...namespaces, ...network, '--');
  }
  if (tools.setpriv !== undefined) chain.push(tools.setpriv, ...privilegeFlags(user), '--');
  if (hasInit && tools.shell !== undefined) chain.push(tools.shell, '-c', INIT, 'init');
  return chain;
}

function limitFlags({ limits, instances }: Pick<LaunchProfile, 'limits' | 'instances'>, hasOwnUser: boolean): string[] {
  const flags = [
    '--core=0',
    `--nofile=${limits.openFiles}`,
    `--fsize=${limits.fileMib * MIB}`,
    `--data=${(2 * limits.memoryMib + DATA_BEYOND_MEMORY_MIB) * MIB}`,
  ];
  // Counted by user: of somebody's own session, all that runs there would count.
  if (hasOwnUser) flags.push(`--nproc=${(limits.processes + TASKS_BEYOND_PROCESSES) * (instances.mode === 'per-agent' ? instances.most : 1)}`);
  return flags;
}

export function privilegeFlags(user: ServerUser | undefined): string[] {
  const flags = ['--no-new-privs', '--pdeathsig', 'KILL'];
  if (user === undefined) return flags;
  return [
    '--reuid',
    String(user.uid),
    '--regid',
    String(user.gid),
    '--clear-groups',
    '--bounding-set=-all',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    ...flags,
  ];
}

export const initScript = INIT;

/** What a server has to do without here, in words; empty where every wall stands. */
export function gapsOf(report: SandboxReport): string[] {
  return (Object.entries(report) as [SandboxWall, SandboxReport[SandboxWall]][]).flatMap(([wall, state]) =>
    state.enforced ? [] : [`${wall}: ${state.reason}`],
  );
}
