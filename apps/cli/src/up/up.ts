import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Environment } from '../config.js';
import { CliError, messageOf } from '../cli-error.js';
import type { Say } from '../progress.js';
import { lockDataDirectory } from './data-lock.js';
import { describeStack, stackAsJson } from './describe-stack.js';
import { clearEarlierRun, processRecord } from './earlier-run.js';
import type { KeptHooks } from './kept.js';
import { Parts } from './parts.js';
import { demoServers, type Ports, portsFrom, refuseTakenPorts } from './ports.js';
import { refuseUnbuilt } from './processes.js';
import { startStack } from './start-stack.js';
import { whenAskedToEnd } from './when-asked-to-end.js';

export interface UpOptions {
  readonly nodes: number;
  readonly dataDirectory: string;
  readonly portBase: number;
  readonly demo: boolean;
  readonly json: boolean;
}

/** Where the command writes: results to `print`, everything else to `say`. */
export interface Terminal {
  readonly print: (text: string) => void;
  readonly say: Say;
}

const forcedExitCode = 130;

/** Starts the local stack and keeps it until asked to end; then ends every process it started. Rejects, with nothing left running, when it cannot start. */
export async function up(options: UpOptions, environment: Environment, terminal: Terminal): Promise<void> {
  refuseUnbuilt(options.demo);
  const dataDirectory = resolve(options.dataDirectory);
  await makeDirectory(dataDirectory);
  const lock = await lockDataDirectory(dataDirectory);
  const parts = new Parts();
  const abort = new AbortController();
  const ended = new Promise<void>((end) => {
    const sayAndEnd = (): void => {
      terminal.say('Ending …');
      end();
    };
    whenAskedToEnd({ end: sayAndEnd, force: () => forceEnd(parts, terminal) }, environment.exitWithParent);
  });
  const asked = ended.then(() => abort.abort(new CliError('Ended before it was ready.')));
  const record = processRecord(dataDirectory);
  const hooks: KeptHooks = {
    report: terminal.say,
    changed: () => void record(parts.pids()).catch((error: unknown) => terminal.say(`The list of processes cannot be written: ${messageOf(error)}`)),
  };
  try {
    await clearEarlierRun(dataDirectory, terminal.say);
    const ports = portsFrom(options.portBase, options.nodes);
    await refuseTakenPorts(neededPorts(ports, options, environment), options.portBase);
    const plan = { dataDirectory, ports, inherited: environment.inherited };
    const ready = await startStack({ plan, demo: options.demo, environment, parts, hooks, say: terminal.say, abort });
    terminal.print(options.json ? `${stackAsJson(ready)}\n` : describeStack(ready, dataDirectory));
    await asked;
  } finally {
    await parts.stop();
    await record({});
    await lock.release();
  }
}

async function makeDirectory(dataDirectory: string): Promise<void> {
  try {
    // Started by root, Postgres may run as another user, who must pass through here; what lies here is closed file by file and folder by folder.
    await mkdir(dataDirectory, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    const logs = join(dataDirectory, 'logs');
    await mkdir(logs, { recursive: true });
    await chmod(logs, 0o700);
  } catch (error) {
    throw new CliError(`The data directory ${dataDirectory} cannot be used: ${(error as Error).message}. Choose another with --data.`);
  }
}

function neededPorts(ports: Ports, { demo }: UpOptions, environment: Environment): (readonly [string, number])[] {
  return [
    ['the control plane', ports.controlPlane],
    ["the control plane's health", ports.controlPlaneHealth],
    ["discovery's health", ports.discoveryHealth],
    ["the audit worker's health", ports.auditWorkerHealth],
    ...(environment.databaseUrl === undefined ? [['Postgres', ports.postgres] as const] : []),
    ...(environment.redisUrl === undefined ? [['Redis', ports.redis] as const] : []),
    ['the runner', ports.runner.servers],
    ["the runner's health", ports.runner.health],
    ...(demo ? demoServers.map((server) => [`the demo server ${server}`, ports.demo[server]] as const) : []),
    ...ports.nodes.flatMap(({ mcp, health }, index) => [[`gateway-${index + 1}`, mcp] as const, [`gateway-${index + 1}'s health`, health] as const]),
  ];
}

/** The second Ctrl-C: nothing is waited for. */
function forceEnd(parts: Parts, terminal: Terminal): void {
  terminal.say('Ending at once.');
  parts.kill();
  // The signals are on their way; what outlives them ends with us.
  setTimeout(() => process.exit(forcedExitCode), 250);
}
