import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LaunchProgram } from '@portcullis/contracts/runner/launch-profile';
import { LaunchRefusal } from '../sandbox/check-executable.js';
import type { PackageCommand } from './package-command.js';
import { npmCommand } from './npm-command.js';
import { uvCommand } from './uv-command.js';

/** Tools that install packages, where this machine has them. */
export interface PackageTools {
  readonly npm: string | undefined;
  readonly uv: string | undefined;
  /** What those tools may see of the runner's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

type Package = Exclude<LaunchProgram, { kind: 'executable' }>;

const run = promisify(execFile);
const INSTALL_MS_MAX = 300_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
const ERROR_CHARS_MAX = 400;

/** Packages in folders of the runner, each version installed once. What its metadata says decides nothing but which of its files is the command. */
export class PackageStore {
  private readonly installing = new Map<string, Promise<void>>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly folder: string,
    private readonly tools: PackageTools,
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  }

  /** Whether `resolve` would have to fetch it. */
  isInstalled(program: Package): boolean {
    return existsSync(this.placeOf(program));
  }

  /** Fetches it before anybody waits for it, one after the other. What fails is tried again, and told, when it is needed. */
  prefetch(program: Package): void {
    if (!this.isInstalled(program)) this.queue = this.queue.then(() => this.resolve(program)).catch(() => undefined);
  }

  /** The command of a package, which is fetched where it is not there yet. Throws a LaunchRefusal, in words for an operator. */
  async resolve(program: Package): Promise<PackageCommand> {
    const place = this.placeOf(program);
    if (!existsSync(place)) await this.installOnce(place, program);
    return program.kind === 'npm' ? npmCommand(place, program) : uvCommand(place, program);
  }

  private placeOf({ kind, name, version }: Package): string {
    // A scope's slash would make two folders of one name; no name has a plus sign.
    return join(this.folder, `${kind}+${name.replace('/', '+')}@${version}`);
  }

  private installOnce(place: string, program: Package): Promise<void> {
    const running = this.installing.get(place);
    if (running !== undefined) return running;
    const installed = (program.kind === 'npm' ? this.installNpm(place, program) : this.installUv(place, program)).finally(() =>
      this.installing.delete(place),
    );
    this.installing.set(place, installed);
    return installed;
  }

  private async installNpm(place: string, { name, version }: Package): Promise<void> {
    const { npm } = this.tools;
    if (npm === undefined) throw new LaunchRefusal('This runner has no npm, which the package needs');
    // Nobody sees it before it is whole.
    const part = `${place}.${randomUUID()}.part`;
    mkdirSync(part, { recursive: true, mode: 0o755 });
    const flags = ['--ignore-scripts', '--allow-git=none', '--no-audit', '--no-fund', '--no-save', '--no-package-lock', '--omit=dev'];
    try {
      await this.runTool(npm, ['install', ...flags, '--prefix', part, `${name}@${version}`], {});
      await rename(part, place);
    } finally {
      await rm(part, { recursive: true, force: true });
    }
  }

  private async installUv(place: string, { name, version }: Package): Promise<void> {
    const { uv } = this.tools;
    if (uv === undefined) throw new LaunchRefusal('This runner has no uv, which Python packages need');
    // Its folders hold their own path, so they cannot be moved: the mark that it is whole is the folder beside them.
    const home = `${place}.home`;
    await rm(home, { recursive: true, force: true });
    mkdirSync(join(home, 'bin'), { recursive: true, mode: 0o755 });
    const folders = { UV_TOOL_DIR: join(home, 'tools'), UV_TOOL_BIN_DIR: join(home, 'bin'), UV_PYTHON_INSTALL_DIR: join(this.folder, 'python') };
    // To build a package is to run what it says, as the runner and outside of every wall.
    await this.runTool(uv, ['tool', 'install', '--no-config', '--no-build', `${name}==${version}`], folders);
    mkdirSync(place, { mode: 0o755 });
  }

  private async runTool(tool: string, args: readonly string[], variables: Readonly<Record<string, string>>): Promise<void> {
    const { environment } = this.tools;
    const options = { cwd: this.folder, env: { ...environment, ...variables }, timeout: INSTALL_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
    try {
      // npm is a script of Node, found by its own first line where it lies beside another.
      if (tool.endsWith('.js')) await run(process.execPath, [tool, ...args], options);
      else await run(tool, [...args], options);
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      // Where packages come from may be an address with a password in it.
      const said = (stderr?.trim() || message).replaceAll(/\/\/[^\s/@]+@/g, '//').slice(-ERROR_CHARS_MAX);
      throw new LaunchRefusal(`The package could not be installed: ${said}`, { cause: error });
    }
  }
}
