import { type ApiClient, ApiError } from '@portcullis/api-client';
import type { Server } from '@portcullis/contracts/api/servers';
import { CliError } from '../cli-error.js';
import { orMissing } from '../or-missing.js';
import { type Say, step } from '../progress.js';
import { urlAt } from './processes.js';
import { demoPrograms, type DemoProgram } from './demo-programs.js';
import type { DemoServer, Ports } from './ports.js';

type Registered = DemoServer | DemoProgram;

interface DemoAgent {
  readonly slug: string;
  /** Names that it is granted, by their server. */
  readonly grants: Readonly<Partial<Record<Registered, string[]>>>;
}

const agents: readonly DemoAgent[] = [
  { slug: 'code-review-agent', grants: { github: ['create_issue'] } },
  { slug: 'data-agent', grants: { postgres: ['query', 'schema'] } },
  { slug: 'comms-agent', grants: { slack: ['post_message', 'list_channels'] } },
  { slug: 'notes-agent', grants: { files: ['read_text_file', 'write_file'], memory: ['create_entities', 'open_nodes'] } },
];

const discoveryMs = 90_000;
const reason = 'the demo';

export interface Demo {
  readonly api: ApiClient;
  readonly ports: Ports;
  /** Those that run. */
  readonly servers: readonly DemoServer[];
  /** Keys of an earlier start. */
  readonly keys: Readonly<Record<string, string>>;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** Registers the demo's servers and agents as far as they are not, its programs being registered already, and gives the agents' keys. What an operator changed since stays changed. */
export async function registerDemo(demo: Demo): Promise<Record<string, string>> {
  await step(demo.say, `Registering the demo servers and waiting until discovery has seen ${demo.servers.join(', ')}`, () =>
    Promise.all(demo.servers.map((server) => registerServer(demo, server))),
  );
  const keys = await Promise.all(agents.map(async (agent) => [agent.slug, await registerAgent(demo, agent)] as const));
  return Object.fromEntries(keys);
}

async function registerServer({ api, ports, signal }: Demo, slug: DemoServer): Promise<void> {
  const url = `${urlAt(ports.demo[slug])}/mcp`;
  const known = await orMissing(api.servers.read(slug));
  let server = known ?? (await orTaken(api.servers.create({ slug, url, approve: 'all', tags: ['demo'], reason }), () => api.servers.read(slug)));
  // Another --port-base than last time.
  if (server.url !== url) server = (await api.servers.update(slug, { url, reason })).value;
  if (!server.enabled) return;
  for (const deadline = Date.now() + discoveryMs; !isDiscovered(server);) {
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new CliError(notDiscovered(server));
    server = (await api.servers.discover(slug, { waitSeconds: 5 })).server;
  }
}

const isDiscovered = ({ discovery, definitions }: Server): boolean =>
  discovery.status === 'ok' && Object.values(definitions).some((count) => count > 0);

const notDiscovered = ({ slug, url, discovery }: Server): string =>
  `Discovery did not get to see the demo server ${slug} at ${url} within ${discoveryMs / 1000} s: ${discovery.error ?? 'it has not answered yet; see the log of discovery'}.`;

async function registerAgent(demo: Demo, { slug, grants }: DemoAgent): Promise<string> {
  const { api, keys } = demo;
  const kept = keys[slug];
  const known = await orMissing(api.agents.read(slug));
  if (known === undefined) await orTaken(api.agents.create({ slug, owner: 'demo', reason }), () => api.agents.read(slug));
  // A key from an earlier start says that the grants were made: if one is gone now, an operator took it away.
  const wasSetUp = known !== undefined && kept !== undefined;
  if (!wasSetUp) for (const [server, names] of Object.entries(grants)) if (isRegistered(demo, server)) await grantOnce(api, { slug, server, names });
  if (wasSetUp && (await isValid(api, slug, kept))) return kept;
  return (await api.agents.createKey(slug, { name: reason })).value.key;
}

const isRegistered = ({ servers }: Demo, server: string): boolean => [...servers, ...demoPrograms].some((one) => one === server);

async function grantOnce(api: ApiClient, { slug, server, names }: { slug: string; server: string; names: string[] }): Promise<void> {
  const { items } = await api.grants.list.page({ agent: slug, server });
  if (items.length === 0) await api.grants.create({ agent: slug, server, names, reason });
}

async function isValid(api: ApiClient, agent: string, key: string): Promise<boolean> {
  const id = /^gw_([a-z0-9]+)_/.exec(key)?.[1];
  for await (const found of api.agents.keys(agent).each()) if (found.id === id && found.revokedAt === null) return true;
  return false;
}

/** What was there already, where making it failed because somebody else did at the same time. */
async function orTaken<T>(making: Promise<{ value: T }>, read: () => Promise<T>): Promise<T> {
  try {
    return (await making).value;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return read();
    throw error;
  }
}
