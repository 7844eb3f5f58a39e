import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ControlPlaneRefusal, type Logger } from '@portcullis/boot';
import {
  LEFT_SERVERS_MAX,
  LOG_TAILS_MAX,
  RUNNER_HEARTBEAT_SECONDS,
  runnerEnvironmentAad,
  SecretEnvironment,
  type RunnerAssignment,
  type RunnerHeartbeat,
  type RunnerHeartbeatResponse,
} from '@portcullis/contracts/runner/heartbeat';
import type { SandboxReport } from '@portcullis/contracts/runner/status';
import { newNodeKeyPair, openWith } from '@portcullis/secrets';
import type { AccessTokens } from '../bridge/access-tokens.js';
import type { ServerRemains } from '../sandbox/server-remains.js';
import type { Host } from '../supervise/host.js';
import type { ControlPlaneClient } from './control-plane-client.js';
import type { Identity, RunnerFiles } from './runner-files.js';

/** What a runner says of itself that does not change. */
export interface RunnerFacts {
  readonly name: string;
  readonly version: string;
  readonly address: string;
  readonly capacity: number;
  readonly sandbox: SandboxReport;
}

/** What following depends on. */
export interface FollowParts {
  readonly facts: RunnerFacts;
  readonly joinToken: string | undefined;
  readonly client: ControlPlaneClient;
  readonly files: RunnerFiles;
  readonly host: Host;
  readonly tokens: AccessTokens;
  readonly remains: ServerRemains;
  readonly logger: Logger;
}

const RETRY_MS_MAX = 5000;
const TIDY_EVERY_MS = 60_000;
const TAKEN_NAME = 'The name of this runner is that of another, or its own before it lost its key: an operator has to remove that one first';
/** Of logs in one heartbeat, beside which there may be thousands of servers: one of more than a MiB is refused, and a runner that is not heard is dead. */
const LOG_BYTES_MAX = 256 * 1024;

/** Hosts what the control plane says. While that is away, what it said last goes on, over restarts too. */
export class AssignmentFollower {
  /** When the control plane was last heard; undefined in a run that has not heard it. */
  heardAt: number | undefined;
  hasAssignments = false;
  private readonly boot = randomUUID();
  private readonly stopping = new AbortController();
  private readonly toldLogs = new Map<string, number>();
  private identity: Identity | undefined;
  private kept = '';
  private tidiedAt = -Infinity;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: FollowParts) {}

  /** Takes up what an earlier run has kept, then keeps asking. */
  start(): void {
    this.restore();
    this.running = this.run();
  }

  /** Says that this runner goes, so that its servers move at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    if (this.identity === undefined) return;
    const { client, logger } = this.parts;
    await client
      .heartbeat(this.identity.runnerKey, this.heartbeat(true))
      .catch((error: unknown) => logger.warn({ err: error }, 'The control plane could not be told that this runner goes'));
  }

  /** The secrets of an assignment by name. Throws an UnsealError where they were not sealed to this runner. */
  readonly openSecrets = ({ serverId, profileHash, sealedEnvironment }: RunnerAssignment): SecretEnvironment => {
    if (sealedEnvironment === null || this.identity === undefined) return {};
    const { runnerId, sealingPrivateKey } = this.identity;
    const opened = openWith(sealingPrivateKey, sealedEnvironment, runnerEnvironmentAad(runnerId, serverId, profileHash));
    return SecretEnvironment.parse(JSON.parse(opened.toString()));
  };

  private restore(): void {
    const { files, facts, logger } = this.parts;
    try {
      this.identity = files.identity(facts.name);
      const answer = this.identity === undefined ? undefined : files.assignments();
      if (answer !== undefined) this.take(answer);
    } catch (error) {
      logger.error({ err: error }, 'What this runner kept cannot be read; it will ask for it again');
    }
  }

  private async run(): Promise<void> {
    const { logger } = this.parts;
    let waitMs = 0;
    while (!this.stopping.signal.aborted) {
      try {
        waitMs = await this.round();
      } catch (error) {
        const status = error instanceof ControlPlaneRefusal ? error.status : undefined;
        if (waitMs < RETRY_MS_MAX)
          logger.warn({ err: error }, status === 409 ? TAKEN_NAME : 'The control plane does not answer; what it said last goes on');
        if (status === 401 && this.parts.joinToken !== undefined) this.identity = undefined;
        waitMs = Math.min(Math.max(waitMs * 2, 500), RETRY_MS_MAX);
      }
      await pause(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** One exchange; gives how long to wait until the next. */
  private async round(): Promise<number> {
    const identity = (this.identity ??= await this.enrol());
    const heartbeat = this.heartbeat(false);
    const versions = new Map(this.parts.host.logs().map(({ serverId, version }) => [serverId, version]));
    const answer = await this.parts.client.heartbeat(identity.runnerKey, heartbeat);
    for (const { serverId } of heartbeat.logs) this.toldLogs.set(serverId, versions.get(serverId) ?? 0);
    this.heardAt = performance.now();
    this.take(answer);
    // Only by what was said just now: an answer from the disk may be of another time.
    if (performance.now() - this.tidiedAt > TIDY_EVERY_MS) {
      this.tidiedAt = performance.now();
      this.parts.remains
        .tidy(answer.removed)
        .catch((error: unknown) => this.parts.logger.warn({ err: error }, 'What servers left here cannot be looked through'));
    }
    return answer.heartbeatSeconds * 1000;
  }

  private async enrol(): Promise<Identity> {
    const { joinToken, facts, client, files, logger } = this.parts;
    if (joinToken === undefined) throw new Error('This runner has no identity and was given no JOIN_TOKEN');
    const pair = newNodeKeyPair();
    const { runnerId, runnerKey } = await client.enrol(joinToken, { name: facts.name, sealingPublicKey: pair.publicKey });
    const identity = { name: facts.name, runnerId, runnerKey, sealingPublicKey: pair.publicKey, sealingPrivateKey: pair.privateKey };
    files.keepIdentity(identity);
    logger.info({ runner: runnerId }, 'This runner has enrolled');
    return identity;
  }

  private take(answer: RunnerHeartbeatResponse): void {
    const { tokens, host, files } = this.parts;
    tokens.take(answer.accessTokenHashes);
    host.apply(answer.assignments);
    this.hasAssignments = true;
    // Secrets are sealed anew in each answer; what counts is whether they differ.
    const said = JSON.stringify([
      this.identity?.sealingPublicKey,
      answer.accessTokenHashes,
      answer.assignments.map((one) => ({ ...one, sealedEnvironment: null })),
    ]);
    if (said === this.kept) return;
    files.keepAssignments(answer);
    this.kept = said;
  }

  private heartbeat(leaving: boolean): RunnerHeartbeat {
    const { facts, host, remains } = this.parts;
    const { version, address, capacity, sandbox } = facts;
    const changed = host.logs().filter((log) => log.text !== '' && this.toldLogs.get(log.serverId) !== log.version);
    let bytes = 0;
    const logs = changed
      .slice(0, LOG_TAILS_MAX)
      .filter(({ text }) => (bytes += Buffer.byteLength(text)) <= LOG_BYTES_MAX)
      .map(({ serverId, text }) => ({ serverId, text }));
    const left = remains.servers.slice(0, LEFT_SERVERS_MAX);
    return { boot: this.boot, version, address, capacity, sandbox, servers: host.statuses(), logs, left: [...left], leaving };
  }
}

/** How long nothing of the control plane may be heard before that is worth telling. */
export const SILENT_MS = 5 * RUNNER_HEARTBEAT_SECONDS * 1000;
