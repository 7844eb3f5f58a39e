import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { promisify } from 'node:util';
import type { SandboxReport } from '@portcullis/contracts/runner/status';
import { initScript, privilegeFlags, type Sandbox, type SandboxTools, type ServerUser } from './sandbox.js';

const run = promisify(execFile);
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
const TRY_MS_MAX = 5000;
const NO_CGROUPS =
  'Runners use none: what a child takes in all is counted twice a second instead, and one that takes more than its share of processor time is stopped meanwhile';
const OUTPUT_BYTES_MAX = 64 * 1024;

/** Finds out what this machine allows by trying each wall with a program that does nothing. `user`: somebody children could run as. */
export async function probeSandbox(user: ServerUser): Promise<Sandbox> {
  const isRoot = process.getuid?.() === 0;
  const tools = process.platform === 'linux' ? findTools() : { setpriv: undefined, prlimit: undefined, unshare: undefined, shell: undefined };
  const nothing = findProgram('true');
  const tries = async (...chain: (string | undefined)[]): Promise<string | undefined> => attempt([...chain, nothing]);

  const privileges = await tries(tools.setpriv, ...privilegeFlags(undefined), '--');
  const own = isRoot ? await tries(tools.setpriv, ...privilegeFlags(user), '--') : 'The runner has to be started as root for that';
  const limits = await tries(tools.prlimit, '--core=0', '--');
  const ownUser = isRoot ? [] : ['--user', '--map-current-user'];
  const mount = [...ownUser, '--mount', '--propagation', 'private'];
  const pid = [...mount, '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
  const mounts = await tries(tools.unshare, ...mount, '--');
  const pids = await tries(tools.unshare, ...pid, '--');
  const flags = pids === undefined ? pid : mounts === undefined ? mount : [];
  const base = flags.length > 0 ? flags : ownUser;
  const network = await tries(tools.unshare, ...base, '--net', '--ipc', '--');
  const ipc = network === undefined ? undefined : await tries(tools.unshare, ...base, '--ipc', '--');

  const report: SandboxReport = {
    user: wall(own),
    pidNamespace: wall(pids),
    networkNamespace: wall(network),
    mountNamespace: wall(mounts),
    cgroups: {
      enforced: false,
      reason: NO_CGROUPS,
    },
    noNewPrivileges: wall(privileges),
  };
  const hasNamespaces = flags.length > 0 || network === undefined;
  return {
    tools: {
      setpriv: privileges === undefined ? tools.setpriv : undefined,
      prlimit: limits === undefined ? tools.prlimit : undefined,
      unshare: hasNamespaces ? tools.unshare : undefined,
      shell: tools.shell,
    },
    isRoot: isRoot && own === undefined,
    namespaces: hasNamespaces ? [...base, ...(network === undefined || (flags.length > 0 && ipc === undefined) ? ['--ipc'] : [])] : [],
    networkFlag: network === undefined ? '--net' : undefined,
    hasInit: pids === undefined && (await addsNothing(tools.shell)),
    report,
  };
}

const wall = (fault: string | undefined): SandboxReport['user'] => (fault === undefined ? { enforced: true } : { enforced: false, reason: fault });

function findTools(): SandboxTools {
  return { setpriv: findProgram('setpriv'), prlimit: findProgram('prlimit'), unshare: findProgram('unshare'), shell: findProgram('sh') };
}

function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a command that does nothing; undefined when that worked, else why not. */
async function attempt(command: readonly (string | undefined)[]): Promise<string | undefined> {
  const [file, ...args] = command;
  if (file === undefined) return 'This system has no tool for it (util-linux)';
  if (args.includes(undefined)) return 'This system has nothing to try it with';
  try {
    await run(file, args as string[], { timeout: TRY_MS_MAX, env: {}, cwd: '/' });
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    return (stderr?.trim().split('\n')[0] || 'It was refused').slice(0, 300);
  }
}

/** Some shells add variables of their own, which no child may have. */
async function addsNothing(shell: string | undefined): Promise<boolean> {
  const env = findProgram('env');
  if (shell === undefined || env === undefined) return false;
  try {
    const { stdout } = await run(shell, ['-c', initScript, 'init', env], { timeout: TRY_MS_MAX, env: {}, cwd: '/', maxBuffer: OUTPUT_BYTES_MAX });
    return stdout === '';
  } catch {
    return false;
  }
}
