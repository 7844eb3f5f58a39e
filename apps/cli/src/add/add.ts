import { type ApiClient, ApiError } from '@portcullis/api-client';
import type { Definition, Server, ServerTransport } from '@portcullis/contracts/api/servers';
import { CliError } from '../cli-error.js';
import { clientSettings, isPlainAddress, tryCommand } from '../client-settings.js';
import type { Connection } from '../connection.js';
import { plainText } from '../plain-text.js';
import { type Say, step } from '../progress.js';
import { orMissing } from '../or-missing.js';
import { describeOffer } from './describe-offer.js';

export interface AddOptions {
  readonly url: string;
  readonly agent: string;
  readonly slug: string;
  /** Undefined: all of the server's tools, later ones included once they are approved. */
  readonly tools: readonly string[] | undefined;
  /** How the server is reached; undefined leaves that to discovery, and a server that is known already as it is. */
  readonly transport: ServerTransport | undefined;
  /** Whether to go on with what the server offers. */
  readonly confirm: (question: string) => Promise<boolean>;
}

export interface AddTerminal {
  readonly print: (text: string) => void;
  readonly say: Say;
}

const decisionsMax = 1_000;

/**
 * Puts a server to use for an agent: registers it, shows what it offers, asks, approves, grants. Refused or failed before the question is answered,
 * it leaves nothing that was not there before.
 */
export async function add(options: AddOptions, connection: Connection, { print, say }: AddTerminal): Promise<void> {
  const { api } = connection;
  const { isNew, server } = await register(options, api);
  let chosen: Definition[];
  try {
    await discover(server, api, say);
    const offer = await readOffer(server.slug, api);
    print(`${server.slug} at ${server.url} offers:\n${describeOffer(offer)}\n`);
    chosen = choose(options, offer);
    const what = options.tools === undefined ? 'all of its tools' : chosen.map(({ name }) => plainText(name, 128)).join(', ');
    if (!(await options.confirm(`Approve ${what} and let ${options.agent} use ${chosen.length === 1 ? 'it' : 'them'}?`)))
      throw new CliError('Nothing was changed.');
  } catch (error) {
    if (isNew) await api.servers.delete(server.slug).catch(() => undefined);
    throw error;
  }
  await approve(server.slug, chosen, api);
  const key = await prepareAgent(options.agent, api);
  await grant(options, server.slug, api);
  print(`${options.agent} may now use ${server.slug}.\n${await howToConnect(connection, options.agent, key)}\n`);
}

async function register({ url, slug, transport }: AddOptions, api: ApiClient): Promise<{ isNew: boolean; server: Server }> {
  const known = await orMissing(api.servers.read(slug));
  if (known === undefined) return { isNew: true, server: (await api.servers.create({ slug, url, transport, reason: 'portcullis add' })).value };
  if (new URL(known.url).href !== new URL(url).href)
    throw new CliError(`There is already a server ${slug}, at ${plainText(known.url)}. Choose another name with --slug.`);
  if (transport === undefined || transport === known.transportPin) return { isNew: false, server: known };
  throw new CliError(
    `There is already a server ${slug}, whose transport is set to ${known.transportPin}. Change it there, or leave --transport out.`,
  );
}

async function discover({ slug, url }: Server, api: ApiClient, say: Say): Promise<void> {
  const report = await step(say, `Asking ${plainText(url)} what it offers`, () => api.servers.discover(slug, { waitSeconds: 30 }));
  const { status, error, problems } = report.server.discovery;
  if (!report.finished) throw new CliError(`${slug} has not been discovered within 30 s. Is discovery running? Try again.`);
  if (status !== 'ok') throw new CliError(`${slug} could not be discovered: ${plainText(error, 500) || 'no reason was given'}`);
  for (const problem of problems) say(`Set aside: ${problem.kind} ${problem.index + 1} of ${slug}: ${plainText(problem.reason)}`);
}

async function readOffer(slug: string, api: ApiClient): Promise<Definition[]> {
  const offer: Definition[] = [];
  for await (const definition of api.servers.definitions(slug).each({ limit: 200 })) if (definition.state !== 'removed') offer.push(definition);
  return offer;
}

function choose({ tools, slug }: AddOptions, offer: readonly Definition[]): Definition[] {
  const offered = offer.filter(({ kind }) => kind === 'tool');
  const missing = (tools ?? []).filter((name) => !offered.some((tool) => tool.name === name));
  if (missing.length > 0) throw new CliError(`${slug} offers no tool named ${missing.join(', ')}.`);
  const chosen = tools === undefined ? offered : offered.filter(({ name }) => tools.includes(name));
  if (chosen.length === 0) throw new CliError(`${slug} offers no tools.`);
  return chosen;
}

/** By the hash that was shown: what changed since is refused, not approved unseen. */
async function approve(slug: string, chosen: readonly Definition[], api: ApiClient): Promise<void> {
  const waiting = chosen.filter(({ state }) => state !== 'approved').map(({ id, hash }) => ({ id, hash }));
  for (let from = 0; from < waiting.length; from += decisionsMax)
    await api.servers.approve(slug, { definitions: waiting.slice(from, from + decisionsMax), reason: 'portcullis add' });
}

/** Makes the agent and its key where they are missing. Gives the key only when it made one. */
async function prepareAgent(slug: string, api: ApiClient): Promise<string | undefined> {
  if ((await orMissing(api.agents.read(slug))) === undefined) await api.agents.create({ slug, reason: 'portcullis add' });
  const nowIso = new Date().toISOString();
  for await (const { revokedAt, expiresAt } of api.agents.keys(slug).each())
    if (revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > Date.parse(nowIso))) return undefined;
  return (await api.agents.createKey(slug, { name: 'portcullis add' })).value.key;
}

async function grant({ agent, tools }: AddOptions, server: string, api: ApiClient): Promise<void> {
  const names = tools === undefined ? ['*'] : [...tools];
  for await (const known of api.grants.list.each({ agent, server })) {
    const isLasting = known.effect === 'allow' && known.kind === 'tools' && known.expiresAt === null && known.notBefore === null;
    if (isLasting && names.every((name) => known.names.includes(name))) return;
  }
  try {
    await api.grants.create({ agent, server, names, reason: 'portcullis add' }, { wait: 'all' });
  } catch (error) {
    // Made, and only the wait for the nodes failed.
    if (!(error instanceof ApiError && error.revision !== undefined)) throw error;
  }
}

async function howToConnect({ api, gatewayUrls }: Connection, agent: string, key: string | undefined): Promise<string> {
  const urls = [...gatewayUrls];
  if (urls.length === 0)
    for await (const node of api.nodes.list.each()) if (node.live && node.url !== null && isPlainAddress(node.url)) urls.push(node.url);
  const mcpUrl = `${(urls[0] ?? 'https://<address of a gateway node>').replace(/\/(mcp)?$/, '')}/mcp`;
  const shown = key ?? `<key of ${agent}>`;
  return [
    key === undefined ? `It has a key already.` : `Its key, shown only now:\n  ${key}`,
    `Try it:\n  ${tryCommand(mcpUrl, shown)}`,
    clientSettings(mcpUrl, shown),
  ].join('\n');
}
