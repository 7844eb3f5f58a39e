import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ListenerTls, startHealthServer, tlsFilesOf, type Logger, type OnClose } from '@portcullis/boot';
import { ControlPlaneClient } from './assignment/control-plane-client.js';
import { AssignmentFollower, SILENT_MS } from './assignment/follow-assignments.js';
import { RunnerFiles } from './assignment/runner-files.js';
import { AccessTokens } from './bridge/access-tokens.js';
import { RUNNER_INFO } from './bridge/runner-info.js';
import { RunnerServer } from './bridge/runner-server.js';
import type { Config } from './config.js';
import { findTools } from './packages/find-tools.js';
import { PackageStore } from './packages/package-store.js';
import { createRunnerMetrics } from './runner-metrics.js';
import { probeSandbox } from './sandbox/probe-sandbox.js';
import { gapsOf } from './sandbox/sandbox.js';
import { ServerRemains } from './sandbox/server-remains.js';
import { ServerUsers } from './sandbox/server-users.js';
import { Watchdog } from './sandbox/watchdog.js';
import { ChildStarter } from './spawn/child-starter.js';
import { Host } from './supervise/host.js';

/** Where a runner listens. */
export interface RunningRunner {
  readonly port: number;
  readonly healthPort: number;
}

const now = (): number => performance.now();

/** Builds a runner and starts it; `onClose` is given what ends it, last first. */
export async function startRunner(
  config: Config & { readonly installerEnvironment: Readonly<Record<string, string>> },
  logger: Logger,
  onClose: OnClose,
): Promise<RunningRunner> {
  const files = new RunnerFiles(config.dataDir);
  const users = new ServerUsers(config.dataDir, { first: config.serverUidFirst, count: config.serverUidCount });
  const sandbox = await probeSandbox({ uid: config.serverUidFirst, gid: config.serverUidFirst });
  for (const gap of gapsOf(sandbox.report)) logger.warn({ gap }, 'This machine does not allow a wall around servers');
  const workFolder = join(config.dataDir, 'work');
  mkdirSync(workFolder, { recursive: true, mode: 0o711 });
  const packages = new PackageStore(join(config.dataDir, 'packages'), findTools(config, config.installerEnvironment));
  const starter = new ChildStarter({ sandbox, packages, users, workFolder }, new Watchdog(), config.capacity);

  let follower: AssignmentFollower | undefined;
  const host = new Host({ starter, logger, now, openSecrets: (assignment) => follower?.openSecrets(assignment) ?? {} });
  const { metrics, onCall } = createRunnerMetrics(() => host);
  const tokens = new AccessTokens();
  const certificate = tlsFilesOf(config);
  const tls = certificate && (await ListenerTls.open(certificate));
  const server = new RunnerServer({ host, tokens, logger, now, onCall, tls });
  const port = await server.listen(config.host, config.port);
  if (tls !== undefined && server.secure !== undefined) onClose('certificate', tls.keepRenewing(server.secure, logger));
  // The last of all: what children still answer has to get out.
  onClose('connections', () => server.close());
  onClose('children', () => host.close(config.stopGraceMs));

  const client = new ControlPlaneClient(config.controlPlaneUrl);
  const address = config.publicUrl ?? `${tls === undefined ? 'http' : 'https'}://${config.host}:${port}`;
  const facts = { name: config.runnerName, version: RUNNER_INFO.version, address, capacity: config.capacity, sandbox: sandbox.report };
  const isNeeded = (serverId: string): boolean => host.hosts(serverId) || starter.isBusy(serverId);
  const remains = new ServerRemains({ users, workFolder, isNeeded, logger, now });
  const following = new AssignmentFollower({ facts, joinToken: config.joinToken, client, files, host, tokens, remains, logger });
  follower = following;
  following.start();
  onClose('assignments', () => following.stop());

  const ready = () => {
    const isSilent = following.heardAt === undefined || now() - following.heardAt > SILENT_MS;
    return { ready: following.hasAssignments, servers: host.statuses().length, degraded: isSilent ? ['control-plane'] : [] };
  };
  const health = await startHealthServer({ host: config.healthHost, port: config.healthPort, metrics, ready });
  onClose('health', () => health.close());
  return { port, healthPort: health.port };
}
