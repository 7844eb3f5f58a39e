import { hash, randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@portcullis/boot';
import { LaunchProfile, launchProfileText } from '@portcullis/contracts/runner/launch-profile';
import type { RunnerAssignment } from '@portcullis/contracts/runner/heartbeat';
import type { z } from 'zod';
import { AccessTokens } from '../bridge/access-tokens.js';
import { RunnerServer } from '../bridge/runner-server.js';
import { PackageStore, type PackageTools } from '../packages/package-store.js';
import { probeSandbox } from '../sandbox/probe-sandbox.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { ServerUsers } from '../sandbox/server-users.js';
import { Watchdog } from '../sandbox/watchdog.js';
import { ChildStarter } from '../spawn/child-starter.js';
import { Host } from '../supervise/host.js';

/** A profile as operators write it. */
export type ProfileInput = z.input<typeof LaunchProfile>;

export const ACCESS_TOKEN = 'a token that only nodes know';
const USERS_EACH = 500;
/** Tests that run beside this one have others: the kernel counts the processes of a user, whoever started them. */
const USERS = { first: 100_000 + USERS_EACH * (process.pid % 1000), count: USERS_EACH };
let sandboxes: Promise<Sandbox> | undefined;

/** Hosts these servers as a runner does, without a control plane. */
export class TestRunner {
  private readonly assignments = new Map<string, RunnerAssignment>();

  readonly folder: string;
  readonly host: Host;
  readonly sandbox: Sandbox;
  /** What the runner's clock is ahead. */
  readonly clock: { skippedMs: number };

  private constructor(
    parts: Pick<TestRunner, 'folder' | 'host' | 'sandbox' | 'clock'>,
    private readonly server: RunnerServer,
    readonly port: number,
  ) {
    ({ folder: this.folder, host: this.host, sandbox: this.sandbox, clock: this.clock } = parts);
  }

  static async start(
    options: { readonly tools?: PackageTools; readonly capacity?: number; readonly sandbox?: Partial<Sandbox> } = {},
  ): Promise<TestRunner> {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-runner-'));
    chmodSync(folder, 0o711);
    const user = { uid: USERS.first, gid: USERS.first };
    const sandbox = { ...(await (sandboxes ??= probeSandbox(user))), ...options.sandbox };
    const packages = new PackageStore(join(folder, 'packages'), options.tools ?? { npm: undefined, uv: undefined, environment: {} });
    const place = { sandbox, packages, users: new ServerUsers(folder, USERS), workFolder: join(folder, 'work') };
    const starter = new ChildStarter(place, new Watchdog(), options.capacity ?? 50);
    const logger = createLogger({ name: 'runner', level: 'silent' });
    const clock = { skippedMs: 0 };
    const now = (): number => performance.now() + clock.skippedMs;
    const openSecrets = ({ sealedEnvironment }: RunnerAssignment): Record<string, string> =>
      sealedEnvironment === null ? {} : (JSON.parse(sealedEnvironment) as Record<string, string>);
    const host = new Host({ starter, logger, now, openSecrets });
    const tokens = new AccessTokens();
    tokens.take([hash('sha256', ACCESS_TOKEN, 'hex')]);
    const server = new RunnerServer({ host, tokens, logger, now, onCall: () => undefined });
    return new TestRunner({ folder, host, sandbox, clock }, server, await server.listen('127.0.0.1', 0));
  }

  /** Adds a server, or gives it another profile. Secrets go in as they are. */
  assign(slug: string, profile: ProfileInput, more: { readonly secrets?: Record<string, string>; readonly generation?: number } = {}): string {
    const whole = LaunchProfile.parse(profile);
    const profileHash = hash('sha256', launchProfileText(whole), 'hex') as RunnerAssignment['profileHash'];
    this.assignments.set(slug, {
      serverId: this.assignments.get(slug)?.serverId ?? (randomUUID() as RunnerAssignment['serverId']),
      slug: slug as RunnerAssignment['slug'],
      profileHash,
      profile: whole,
      generation: more.generation ?? 0,
      environmentVersion: more.secrets === undefined ? null : '1',
      sealedEnvironment: more.secrets === undefined ? null : JSON.stringify(more.secrets),
    });
    this.host.apply([...this.assignments.values()]);
    return this.urlOf(slug);
  }

  assignmentOf(slug: string): RunnerAssignment | undefined {
    return this.assignments.get(slug);
  }

  urlOf(slug: string): string {
    return `http://127.0.0.1:${this.port}/servers/${slug}/mcp`;
  }

  status(slug: string): ReturnType<Host['statuses']>[number] {
    const id = this.assignments.get(slug)?.serverId;
    const found = this.host.statuses().find(({ serverId }) => serverId === id);
    if (found === undefined) throw new Error(`no server ${slug}`);
    return found;
  }

  log(slug: string): string {
    const id = this.assignments.get(slug)?.serverId;
    return this.host.logs().find(({ serverId }) => serverId === id)?.text ?? '';
  }

  async close(): Promise<void> {
    await this.host.close(0);
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
