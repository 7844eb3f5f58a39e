import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@portcullis/boot';
import type { ChildState, HostedServer as Status } from '@portcullis/contracts/runner/status';
import type { Era } from '@portcullis/mcp';
import { probeEra } from '../bridge/probe-era.js';
import { RpcFault } from '../bridge/rpc-fault.js';
import type { Unasked } from '../bridge/connection.js';
import { LaunchRefusal } from '../sandbox/check-executable.js';
import { afterRunning } from '../spawn/after-running.js';
import type { Child, ChildEnd, ChildListener } from '../spawn/child.js';
import type { ChildStarter } from '../spawn/child-starter.js';
import type { LogTail } from '../spawn/log-tail.js';
import type { LaunchOrder } from '../spawn/plan-launch.js';
import { Instance } from './instance.js';
import { RestartPolicies } from './restart-policies.js';
import type { RestartPolicy } from './restart-policy.js';
import { wordsOf } from './words-of-end.js';

/** What one server is hosted with. */
export interface HostedServerParts {
  readonly slug: string;
  readonly profileHash: string;
  readonly order: LaunchOrder;
  readonly starter: ChildStarter;
  readonly log: LogTail;
  readonly logger: Logger;
  readonly now: () => number;
  /** Ends a child that nobody uses, of any server; false where all are in use. */
  readonly makeRoom: () => boolean;
}

/** How a child is spoken to. */
export interface InstanceWay {
  readonly unasked: (instance: Instance) => Unasked;
  /** What has to be said before it is used. */
  readonly prepare: (instance: Instance) => Promise<void>;
}

/** Where the era is asked for, and where a single child belongs. The key of an agent's own begins with the agent's id. */
export const SHARED = '';
const agentOf = (key: string): string | undefined => key.split(' ', 1)[0] || undefined;
const START_MS_MAX = 60_000;
/** A request waits so long for its turn to start a child; longer, and its sender is told when to come again. */
const WAIT_MS_MAX = 5000;

/** One server of this runner: its children, started on first use, and what becomes of those that fail. */
export class HostedServer {
  private readonly instances = new Map<string, Promise<Instance>>();
  private readonly open = new Set<Instance>();
  /** All that run, those that are not spoken to yet included. */
  private readonly children = new Set<Child>();
  private readonly policies: RestartPolicies;
  private knownEra: Promise<Era> | undefined;
  private phase: ChildState = 'idle';
  private lastError: string | null = null;
  private restarts = 0;
  private junkLines = 0;
  private isClosing = false;
  private hasRun = false;
  /** Children of agents that are about to run: many may come at once. */
  private beginning = 0;

  constructor(readonly parts: HostedServerParts) {
    this.policies = new RestartPolicies(parts.now);
  }

  get isPerAgent(): boolean {
    return this.parts.order.profile.instances.mode === 'per-agent';
  }

  /** Which era it speaks, asked once of a child of its own. Rejects with an RpcFault. */
  era(): Promise<Era> {
    if (this.knownEra !== undefined) return this.knownEra;
    const probing = this.attempt(SHARED, () => probeEra((listener) => this.launch(listener, SHARED)));
    this.knownEra = probing;
    probing.catch(() => (this.knownEra = undefined));
    return probing;
  }

  /** The child of this key, started where there is none. Rejects with an RpcFault; nothing has been sent to a child then. */
  acquire(key: string, way: InstanceWay): Promise<Instance> {
    const known = this.instances.get(key);
    if (known !== undefined) return known;
    const opening = this.attempt(key, () => this.begin(key, way));
    this.instances.set(key, opening);
    opening.catch(() => this.forget(key, opening));
    return opening;
  }

  /** The child of this key, if it runs. */
  running(key: string): Promise<Instance> | undefined {
    return this.instances.get(key);
  }

  /** Ends the child of this key: nobody will come back to it. */
  end(key: string): void {
    void this.instances.get(key)?.then(
      (instance) => this.retire(instance),
      () => undefined,
    );
  }

  status(): Status {
    const junkLines = [...this.open].reduce((sum, { child }) => sum + child.junkLines, this.junkLines);
    const { parts, restarts, lastError } = this;
    const about = { serverId: parts.order.serverId, profileHash: parts.profileHash, state: this.state(), instances: this.open.size };
    return { ...about, restarts, junkLines, throttled: [...this.children].some(({ isThrottled }) => isThrottled), lastError };
  }

  /** Ends children that nobody used for as long as the profile says. */
  endIdle(): void {
    const now = this.parts.now();
    const idleMs = this.parts.order.profile.idleSeconds * 1000;
    for (const instance of this.open) if (!instance.child.isAsked && instance.idleMs(now) >= idleMs) this.retire(instance);
  }

  /** The child that was idle longest, with how long; undefined where all are in use. */
  idlest(): { readonly idleMs: number; readonly end: () => void } | undefined {
    const now = this.parts.now();
    const idle = [...this.open].filter(({ isBusy, child }) => !isBusy && !child.isAsked);
    const [found] = idle.toSorted((a, b) => b.idleMs(now) - a.idleMs(now));
    return found && { idleMs: found.idleMs(now), end: () => this.retire(found) };
  }

  /** Ends all of its children; those that work may finish within the grace. */
  async close(graceMs: number): Promise<void> {
    this.isClosing = true;
    const deadline = this.parts.now() + graceMs;
    while (this.children.size > 0) {
      const isLate = this.parts.now() >= deadline;
      const working = new Set([...this.open].filter(({ connection }) => connection.size > 0).map(({ child }) => child));
      for (const child of this.children) if (isLate || !working.has(child)) void child.stop();
      await pause(20);
    }
  }

  private state(): ChildState {
    if (this.policies.of(SHARED).isQuarantined) return 'quarantined';
    if (this.phase !== 'idle') return this.phase;
    if (this.open.size > 0) return 'running';
    if (this.policies.isAnyWaiting()) return 'backing-off';
    return this.lastError === null ? 'idle' : 'failed';
  }

  private async attempt<T>(key: string, start: () => Promise<T>): Promise<T> {
    const policy = this.policies.of(agentOf(key) ?? SHARED);
    await this.turn(policy);
    const { order, starter, now } = this.parts;
    if (policy.hasFailed(now())) this.restarts += 1;
    this.phase = starter.isReady(order) ? 'starting' : 'installing';
    try {
      return await start();
    } catch (error) {
      if (error instanceof RpcFault && error.reason !== 'runner.start_failed') throw error;
      if (error instanceof LaunchRefusal) this.failed(policy, error.message, 'refused');
      throw error instanceof RpcFault ? error : new RpcFault('runner.start_failed', Math.max(1000, policy.delayMs(now())));
    } finally {
      this.phase = 'idle';
    }
  }

  private async turn(policy: RestartPolicy): Promise<void> {
    if (this.isClosing) throw new RpcFault('runner.stopping');
    if (policy.isQuarantined) throw new RpcFault('runner.quarantined');
    const delayMs = policy.delayMs(this.parts.now());
    if (delayMs > WAIT_MS_MAX) throw new RpcFault('runner.backing_off', delayMs);
    if (delayMs > 0) await pause(delayMs);
    if (this.isClosing) throw new RpcFault('runner.stopping');
  }

  private async begin(key: string, way: InstanceWay): Promise<Instance> {
    const { instances } = this.parts.order.profile;
    const count = [...this.open].filter(({ child }) => !child.isAsked).length + this.beginning;
    if (instances.mode === 'per-agent' && count >= instances.most) this.endOne();
    const early: { instance?: Instance } = {};
    const listener = {
      line: (bytes: Buffer) => early.instance?.connection.take(bytes) ?? false,
      tooLong: () => early.instance?.connection.lost(),
    };
    this.beginning += 1;
    const child = await this.launch(listener, key).finally(() => (this.beginning -= 1));
    const instance = new Instance(child, way.unasked, this.parts.now());
    early.instance = instance;
    this.open.add(instance);
    void child.ended.then((end) => this.ended(key, instance, end));
    const forget = afterRunning(child, START_MS_MAX, () => child.kill(`It said nothing for ${START_MS_MAX / 1000} s after its start`));
    try {
      await way.prepare(instance);
      this.lastError = null;
      this.hasRun = true;
      return instance;
    } catch (error) {
      child.kill(error instanceof Error ? error.message : 'It could not be spoken to');
      throw new RpcFault('runner.start_failed', 1000);
    } finally {
      forget();
    }
  }

  private async launch(listener: ChildListener, key: string): Promise<Child> {
    const { starter, order, log, makeRoom } = this.parts;
    // Right before its place is taken: whoever asks next finds it taken.
    if (starter.isFull && !makeRoom()) throw new RpcFault('runner.full', 1000);
    const child = await starter.start({ ...order, agentId: agentOf(key) }, listener, log);
    this.children.add(child);
    void child.ended.then(() => this.children.delete(child));
    // What it needed may have taken long to install.
    if (this.isClosing) child.kill('The server is moving');
    return child;
  }

  private endOne(): void {
    const idlest = this.idlest();
    if (idlest === undefined) throw new RpcFault('runner.full', 1000);
    idlest.end();
  }

  /** Whoever comes from now on gets another child. */
  private retire(instance: Instance): void {
    for (const [key, opening] of this.instances) void opening.then((one) => one === instance && this.forget(key, opening)).catch(() => undefined);
    void instance.child.stop();
  }

  private ended(key: string, instance: Instance, end: ChildEnd): void {
    this.open.delete(instance);
    this.junkLines += instance.child.junkLines;
    void this.instances.get(key)?.then(
      (current) => current === instance && this.instances.delete(key),
      () => undefined,
    );
    instance.connection.end(new RpcFault('runner.child_ended'));
    if (end.asked) return;
    this.failed(this.policies.of(agentOf(key) ?? SHARED), wordsOf(end), 'crash');
    // Who ends at once ends on any question: that says nothing of its era.
    if (!this.hasRun) this.knownEra = undefined;
  }

  private failed(policy: RestartPolicy, found: string, kind: 'crash' | 'refused'): void {
    // A server may say in its error what it was given in its environment.
    const words = this.parts.log.cleaned(found);
    this.lastError = words.slice(0, 1000).toWellFormed();
    policy.failed(this.parts.now(), kind);
    this.parts.log.note(words);
    this.parts.logger.warn({ server: this.parts.slug, quarantined: policy.isQuarantined }, words);
  }

  private forget(key: string, opening: Promise<Instance>): void {
    if (this.instances.get(key) === opening) this.instances.delete(key);
  }
}
