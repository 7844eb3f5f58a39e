import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '@portcullis/api-client';
import { healthOf, preparePostgres, prepareRedis, type Service, type Started, startByHand } from '../e2e/by-hand.js';
import { type Ledger, startCrowd } from '../e2e/ledger.js';
import { freePortBase } from '../e2e/portcullis-command.js';
import { jsonHeaders, messageIn, type RawAnswer, send, sendMcp } from '../e2e/raw-mcp.js';
import { startTestServer, type TestServer } from '../e2e/test-server.js';
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.js';
import { until } from './until.js';

export type ProcessName = 'control-plane' | 'audit-worker-1' | 'audit-worker-2' | 'node-1' | 'node-2';
export const NODES = ['node-1', 'node-2'] as const;
export const WORKERS = ['audit-worker-1', 'audit-worker-2'] as const;
export type Link = 'node to Redis' | 'node to control plane' | 'node to server' | 'worker to Redis' | 'worker to Postgres';

interface Parts {
  readonly directory: string;
  readonly base: number;
  readonly postgres: Service;
  readonly redis: Service;
  readonly server: TestServer;
  readonly links: Readonly<Record<Link, ChaosProxy>>;
}

const JOIN_TOKEN = 'a-join-token-that-a-file-would-hold';
const LOOPBACK = '127.0.0.0/8';

/** The real system, process by process, with chaos proxies between its parts, a server that writes down what reaches it, and an agent to call it. */
export class Laboratory {
  readonly processes = new Map<ProcessName, Started>();
  private readonly starters = new Map<ProcessName, (env: Readonly<Record<string, string>>) => Started>();
  private key = '';
  /** The last block of the trail that was verified. */
  verifiedThrough = 0;

  readonly directory: string;
  readonly postgres: Service;
  readonly redis: Service;
  readonly server: TestServer;
  readonly links: Readonly<Record<Link, ChaosProxy>>;
  private readonly base: number;

  private constructor({ directory, base, postgres, redis, server, links }: Parts) {
    this.directory = directory;
    this.base = base;
    this.postgres = postgres;
    this.redis = redis;
    this.server = server;
    this.links = links;
  }

  /** Starts everything and waits until it serves. */
  static async start(): Promise<Laboratory> {
    const directory = await mkdtemp(join(tmpdir(), 'portcullis-faults-'));
    const base = await freePortBase();
    const [postgres, redis, server] = await Promise.all([
      preparePostgres(directory, base + 4, true),
      prepareRedis(directory, base + 5, false),
      startTestServer(['work']),
    ]);
    const serverPort = Number(new URL(server.url).port);
    const links = {
      'node to Redis': await startChaosProxy(base + 5),
      'node to control plane': await startChaosProxy(base),
      'node to server': await startChaosProxy(serverPort),
      'worker to Redis': await startChaosProxy(base + 5),
      'worker to Postgres': await startChaosProxy(base + 4),
    };
    const lab = new Laboratory({ directory, base, postgres, redis, server, links });
    await lab.startAll();
    await lab.prepare();
    return lab;
  }

  get api(): Promise<ApiClient> {
    return readFile(join(this.directory, 'operator-token'), 'utf8').then((token) =>
      createApiClient({ baseUrl: `http://127.0.0.1:${this.base}`, token: token.trim() }),
    );
  }

  /** Where a node keeps what it has to keep. */
  dataDirectoryOf(node: (typeof NODES)[number]): string {
    return join(this.directory, node);
  }

  mcpUrlOf(node: (typeof NODES)[number]): string {
    return `http://127.0.0.1:${this.base + 10 + NODES.indexOf(node)}/mcp`;
  }

  process(name: ProcessName): Started {
    const process = this.processes.get(name);
    if (process === undefined) throw new Error(`${name} was never started`);
    return process;
  }

  /** Starts a process that does not run, as usual but for what is given. */
  run(name: ProcessName, env: Readonly<Record<string, string>> = {}): Started {
    const started = this.starters.get(name)?.(env);
    if (started === undefined) throw new Error(`Nobody knows how to start ${name}`);
    this.processes.set(name, started);
    return started;
  }

  /** Ends a process as a power cut would. */
  kill = (name: ProcessName): Promise<void> => this.process(name).stop('SIGKILL');

  ready = (name: ProcessName): Promise<void> => until(`${name} is ready`, async () => (await healthOf(this.process(name))).status === 200, 120_000);

  /** Everything runs, nothing is disturbed. */
  async heal(): Promise<void> {
    for (const link of Object.values(this.links)) link.heal();
    await Promise.all([this.postgres.start(), this.redis.start()]);
    for (const [name, process] of this.processes) {
      process.signal('SIGCONT');
      if (!process.isRunning()) this.run(name);
    }
    await Promise.all([...this.processes.keys()].map(this.ready));
  }

  /** Agents' clients at all nodes: seven calls of the tool, two lists, and one call of something that was never granted. */
  crowd(perSecond: number, file?: string): Ledger {
    const { key } = this;
    const kinds = ['call', 'list', 'call', 'call', 'denied', 'call', 'list', 'call', 'call', 'call'] as const;
    const urls = NODES.map((node) => this.mcpUrlOf(node));
    return startCrowd({ urls, key, tool: 'tools__work', clientsPerNode: 6, perSecond, kinds, ...(file === undefined ? {} : { file }) });
  }

  /** One call of the tool at a node; what answers it, or why nothing does. */
  async say(node: (typeof NODES)[number], text: string, agent?: Agent): Promise<string> {
    const params = { name: 'tools__work', arguments: { text } };
    const answer = await sendMcp(this.mcpUrlOf(node), { key: this.key, era: 'modern', method: 'tools/call', params, ...(agent && { agent }) });
    const { result, error } = messageIn(answer);
    return result?.content?.[0]?.text ?? `${String(answer.status)} ${error?.message ?? ''}`;
  }

  /** Sends a call with arguments written by hand. Whatever comes of it is the node's affair. */
  async callWith(argument: string): Promise<void> {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tools__work","arguments":{"text":${argument}}}}`;
    await send(this.mcpUrlOf('node-1'), { headers: jsonHeaders(this.key), body }).catch(() => undefined);
  }

  /** One call of the tool by the crowd's agent. */
  call = (node: (typeof NODES)[number]): Promise<RawAnswer> =>
    sendMcp(this.mcpUrlOf(node), { key: this.key, era: 'modern', method: 'tools/call', params: { name: 'tools__work', arguments: { text: 'x' } } });

  /** What the crowd's agent sees. */
  list = (node: (typeof NODES)[number]): Promise<RawAnswer> => sendMcp(this.mcpUrlOf(node), { key: this.key, era: 'modern', method: 'tools/list' });

  /** Registers the server and an agent that may call it. */
  private async prepare(): Promise<void> {
    const discovery = startByHand(this.directory, 'discovery', 'control-plane/dist/discovery-main.js', {
      ...this.truth(),
      PORTCULLIS_EGRESS_ALLOW: LOOPBACK,
      HEALTH_PORT: String(this.base + 2),
    });
    const api = await this.api;
    await api.servers.create({ slug: 'tools', url: this.links['node to server'].url(this.server.url), approve: 'all' });
    await api.servers.discover('tools', { waitSeconds: 60 });
    await discovery.stop();
    await api.agents.create({ slug: 'crowd' });
    await api.grants.create({ agent: 'crowd', server: 'tools', names: ['work'] });
    this.key = (await api.agents.createKey('crowd', {}, { wait: 'all' })).value.key;
  }

  /** Ends everything. What it wrote stays only where somebody wants to look at it. */
  async stop({ keepFiles = false } = {}): Promise<void> {
    for (const process of this.processes.values()) process.signal('SIGCONT');
    await this.redis.signal('SIGCONT');
    await Promise.all([...this.processes.values()].map((process) => process.stop()));
    await Promise.all([this.postgres.stop(), this.redis.stop(), this.server.close()]);
    await Promise.all(Object.values(this.links).map((link) => link.close()));
    if (!keepFiles) await rm(this.directory, { recursive: true, force: true });
  }

  private async startAll(): Promise<void> {
    const { directory, base } = this;
    const starter = (name: ProcessName, script: string, healthPort: number, env: Record<string, string>): void => {
      const usual = { ...env, HEALTH_PORT: String(base + healthPort) };
      this.starters.set(name, (own) => startByHand(directory, name, script, { ...usual, ...own }));
    };
    starter('control-plane', 'control-plane/dist/main.js', 1, {
      ...this.truth(),
      ...this.auditKey(),
      PORT: String(base),
      PORTCULLIS_JOIN_TOKEN: JOIN_TOKEN,
      PORTCULLIS_BOOTSTRAP_TOKEN_FILE: join(directory, 'operator-token'),
    });
    for (const [place, name] of WORKERS.entries())
      starter(name, 'audit-worker/dist/main.js', 6 + place, {
        DATABASE_URL: this.links['worker to Postgres'].url(this.postgres.url),
        REDIS_URL: this.links['worker to Redis'].url(this.redis.url),
        ...this.auditKey(),
      });
    for (const [place, name] of NODES.entries())
      starter(name, 'gateway/dist/main.js', 50 + place, {
        REDIS_URL: this.links['node to Redis'].url(this.redis.url),
        CONTROL_PLANE_URL: this.links['node to control plane'].url(`http://127.0.0.1:${base}`),
        JOIN_TOKEN,
        NODE_NAME: name,
        DATA_DIR: this.dataDirectoryOf(name),
        PORT: String(base + 10 + place),
        PORTCULLIS_EGRESS_ALLOW: LOOPBACK,
      });
    await Promise.all([this.postgres.start(), this.redis.start()]);
    this.run('control-plane');
    await this.ready('control-plane');
    for (const name of [...WORKERS, ...NODES]) this.run(name);
    await Promise.all([...WORKERS, ...NODES].map(this.ready));
  }

  private auditKey(): Record<string, string> {
    return { PORTCULLIS_AUDIT_KEY_FILE: join(this.directory, 'audit.key') };
  }

  private truth(): Record<string, string> {
    const masterKey = join(this.directory, 'master.key');
    return { DATABASE_URL: this.postgres.url, REDIS_URL: this.redis.url, PORTCULLIS_MASTER_KEY_FILE: masterKey };
  }
}
