import { Client, SSEClientTransport, StreamableHTTPClientTransport, type StandardSchemaV1 } from '@modelcontextprotocol/client';
import type { ServerTransport } from '@portcullis/contracts/api/servers';
import type { DefinitionKind, Era, Transport } from '@portcullis/contracts/names';
import { MODERN_VERSION, parseJson, type DefinitionKey } from '@portcullis/mcp';
import { AnswerTap, type Fetch, type HttpAnswer } from './answer-tap.js';
import { collectList, foundInstructions, leastOf, type FoundDefinition, type FoundProblem } from './collect-list.js';
import { describeFailure, printable } from './describe-failure.js';
import { DiscoveryAbandoned, DiscoveryFailure } from './discovery-failure.js';

/** The server to ask. `knownEra` is what it spoke lately; `legacy` spares the probe. */
export interface DiscoveryTarget {
  readonly url: string;
  readonly protocol: 'auto' | Era;
  readonly transport: ServerTransport;
  readonly knownEra: Era | undefined;
  /** Whether it speaks both eras, where that is known and need not be asked again. */
  readonly knownBothEras?: boolean | undefined;
}

/** What a server says of itself and offers. */
export interface Findings {
  readonly era: Era;
  /** Whether a server of the newer era speaks the older one as well; never asked of one that is pinned. */
  readonly bothEras: boolean;
  readonly transport: Transport;
  /** Its `capabilities` as JSON. */
  readonly capabilitiesJson: string;
  readonly instructions: string | null;
  /** Name and version of its software, as it says. */
  readonly software: string | null;
  /** How long the first of its lists to end holds, where it says so. */
  readonly ttlSeconds: number | null;
  readonly definitions: readonly FoundDefinition[];
  readonly problems: readonly FoundProblem[];
}

const REQUEST_MS = 20_000;
const WHOLE_MS = 90_000;
/** For a second handshake, which a server may take for an intrusion. */
const OTHER_ERA_MS = 5000;
const CAPABILITIES_CHARS_MAX = 65_536;
const INSTRUCTIONS_CHARS_MAX = 32_768;
/** What one server may offer in all, so that its share of a snapshot can be distributed. */
const DEFINITIONS_BYTES_MAX = 3 * 1024 * 1024;
const PROBLEMS_MAX = 200;
const TTL_SECONDS_MAX = 86_400;

interface List {
  readonly kind: DefinitionKind;
  readonly capability: 'tools' | 'prompts' | 'resources';
  readonly key: DefinitionKey;
  readonly method: string;
}

const LISTS: readonly List[] = [
  { kind: 'tool', capability: 'tools', key: 'tools', method: 'tools/list' },
  { kind: 'prompt', capability: 'prompts', key: 'prompts', method: 'prompts/list' },
  { kind: 'resource', capability: 'resources', key: 'resources', method: 'resources/list' },
  { kind: 'resource_template', capability: 'resources', key: 'resourceTemplates', method: 'resources/templates/list' },
];

/** The SDK's schemas would reject a whole list for one bad entry; ours look at each entry's own bytes. */
export const anything: StandardSchemaV1<unknown, unknown> = { '~standard': { version: 1, vendor: 'portcullis', validate: (value) => ({ value }) } };

/** Asks a server for everything it offers. Throws a DiscoveryFailure in words for an operator, or DiscoveryAbandoned when `stop` says so. */
export async function discoverServer(target: DiscoveryTarget, fetch: Fetch, stop: AbortSignal): Promise<Findings> {
  const whole = AbortSignal.any([stop, AbortSignal.timeout(WHOLE_MS)]);
  try {
    return target.transport === 'sse' ? await discoverSse(target, fetch, whole) : await discoverStreamable(target, fetch, whole);
  } catch (error) {
    throw stop.aborted ? new DiscoveryAbandoned() : error;
  }
}

async function discoverStreamable(target: DiscoveryTarget, fetch: Fetch, whole: AbortSignal): Promise<Findings> {
  const tap = new AnswerTap(fetch, whole);
  try {
    return await askStreamable(target, tap);
  } catch (error) {
    const found =
      target.transport !== 'stdio' && mayBeSse(target, tap.lastHttp) ? await askSse(target, new AnswerTap(fetch, whole, true)) : undefined;
    if (found === undefined) throw new DiscoveryFailure(describeFailure(error, target.url, tap.lastHttp), { cause: error });
    if (target.transport === 'auto') return found;
    throw new DiscoveryFailure('The server speaks HTTP+SSE, but its transport is pinned to streamable-http. Set transport to sse or auto.');
  }
}

/** HTTP+SSE alone. The other transport is tried only to tell an operator what is there instead, or why nothing is. */
async function discoverSse(target: DiscoveryTarget, fetch: Fetch, whole: AbortSignal): Promise<Findings> {
  const found = await askSse(target, new AnswerTap(fetch, whole, true));
  if (found !== undefined) return found;
  const tap = new AnswerTap(fetch, whole);
  const instead = await askStreamable(target, tap).catch((error: unknown) => {
    throw new DiscoveryFailure(describeFailure(error, target.url, tap.lastHttp), { cause: error });
  });
  const spoken = `Streamable HTTP (${instead.era})`;
  throw new DiscoveryFailure(`The server speaks ${spoken}, but its transport is pinned to sse. Set transport to streamable-http or auto.`);
}

/** A client that speaks to this server in its era. */
export const newClient = (target: Pick<DiscoveryTarget, 'protocol' | 'knownEra'>): Client =>
  new Client({ name: 'portcullis', version: '0.1.0' }, { versionNegotiation: { mode: negotiationMode(target) } });

async function askStreamable(target: DiscoveryTarget, tap: AnswerTap): Promise<Findings> {
  const client = newClient(target);
  const transport = new StreamableHTTPClientTransport(new URL(target.url), { fetch: tap.fetch });
  try {
    await client.connect(transport, { timeout: REQUEST_MS });
    const findings = await readEverything(client, tap, 'streamable-http');
    await transport.terminateSession().catch(() => undefined); // a courtesy; the server forgets the session anyway
    const mayBeBoth = target.protocol === 'auto' && findings.era === 'modern';
    return { ...findings, bothEras: mayBeBoth && (target.knownBothEras ?? (await speaksLegacy(target, tap))) };
  } finally {
    await client.close().catch(() => undefined);
  }
}

/** Whether the older handshake is answered too. That it is not, for whatever reason, costs agents nothing but a bridge. */
async function speaksLegacy(target: DiscoveryTarget, tap: AnswerTap): Promise<boolean> {
  const client = newClient({ ...target, protocol: 'legacy' });
  const transport = new StreamableHTTPClientTransport(new URL(target.url), { fetch: tap.fetch });
  try {
    await client.connect(transport, { timeout: OTHER_ERA_MS });
    // One that keeps no session can neither ask in the middle of a call nor tell of changes: nothing would be gained.
    const keepsSession = transport.sessionId !== undefined;
    await transport.terminateSession().catch(() => undefined);
    return keepsSession;
  } catch {
    return false;
  } finally {
    await client.close().catch(() => undefined);
  }
}

/** A server of 2024-11-05 takes no message where its stream is; its answer to one is how clients tell (2025-03-26, Backwards Compatibility). */
function mayBeSse({ protocol }: DiscoveryTarget, http: HttpAnswer | undefined): boolean {
  return protocol !== 'modern' && http?.method === 'initialize' && (http.status === 404 || http.status === 405);
}

/** Undefined where there is no such server either: then what the first attempt met is what an operator should know. */
async function askSse(target: DiscoveryTarget, tap: AnswerTap): Promise<Findings | undefined> {
  const client = newClient({ ...target, protocol: 'legacy' });
  try {
    await client.connect(new SSEClientTransport(new URL(target.url), { fetch: tap.fetch }), { timeout: REQUEST_MS });
    return await readEverything(client, tap, 'sse');
  } catch (error) {
    if (tap.isConnected) throw new DiscoveryFailure(describeFailure(error, target.url, undefined), { cause: error });
    return undefined;
  } finally {
    await client.close().catch(() => undefined);
  }
}

function negotiationMode({ protocol, knownEra }: Pick<DiscoveryTarget, 'protocol' | 'knownEra'>): 'legacy' | 'auto' | { pin: string } {
  if (protocol === 'modern') return { pin: MODERN_VERSION };
  return protocol === 'legacy' || knownEra === 'legacy' ? 'legacy' : 'auto';
}

async function readEverything(client: Client, tap: AnswerTap, transport: Transport): Promise<Findings> {
  const handshake = tap.take('initialize') ?? tap.take('server/discover');
  const about = handshake === undefined ? {} : resultOf(handshake);
  const offered = client.getServerCapabilities() ?? {};
  const era = client.getProtocolEra() === 'modern' ? 'modern' : 'legacy';
  const instructions = instructionsOf(about);
  const definitions: FoundDefinition[] = [];
  const problems: FoundProblem[] = [];
  let bytesLeft = DEFINITIONS_BYTES_MAX;
  let ttlMs: number | undefined;
  for (const list of LISTS) {
    if (offered[list.capability] === undefined) continue;
    const collected = await collectList(list.kind, list.key, (cursor) => readPage(client, tap, list, cursor), era === 'modern');
    problems.push(...collected.problems);
    ttlMs = leastOf(ttlMs, collected.ttlMs);
    for (const [index, definition] of collected.definitions.entries()) {
      bytesLeft -= definition.json.length;
      if (bytesLeft >= 0) definitions.push(definition);
      else {
        problems.unshift({ kind: list.kind, index, reason: 'the server offers more than 3 MiB of definitions in all', cut: true });
        break;
      }
    }
  }
  if (instructions !== null) definitions.push(foundInstructions(instructions));
  return {
    era,
    bothEras: false,
    transport,
    capabilitiesJson: capabilitiesOf(about),
    instructions,
    software: softwareOf(client.getServerVersion()),
    ttlSeconds: ttlMs === undefined ? null : Math.min(Math.ceil(ttlMs / 1000), TTL_SECONDS_MAX),
    definitions,
    problems: problems.slice(0, PROBLEMS_MAX),
  };
}

async function readPage(client: Client, tap: AnswerTap, { method }: List, cursor: string | undefined): Promise<string | undefined> {
  const request = { method, params: cursor === undefined ? {} : { cursor } };
  const fault: unknown = await client.request(request, anything, { timeout: REQUEST_MS }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const text = tap.take(method);
  if (text === undefined) throw fault ?? new DiscoveryFailure(`The server did not answer ${method}.`);
  const refusal = refusalOf(text);
  if (refusal === undefined) return text; // whatever the SDK made of it: the definitions are judged one by one
  if (refusal.code === -32601) return undefined;
  throw new DiscoveryFailure(`The server refused ${method} with error ${refusal.code}: ${refusal.message}`);
}

function refusalOf(text: string): { code: number; message: string } | undefined {
  const { error } = parseJson(text) as { error?: { code?: unknown; message?: unknown } };
  if (error === undefined) return undefined;
  return { code: Number(error.code), message: printable(typeof error.message === 'string' ? error.message : '') };
}

function resultOf(text: string): { capabilities?: unknown; instructions?: unknown } {
  const { result } = parseJson(text) as { result?: unknown };
  return typeof result === 'object' && result !== null ? result : {};
}

function capabilitiesOf({ capabilities }: { capabilities?: unknown }): string {
  const json = typeof capabilities === 'object' && capabilities !== null ? JSON.stringify(capabilities) : '{}';
  return json.length > CAPABILITIES_CHARS_MAX ? '{}' : json;
}

function softwareOf(info: { readonly name?: unknown; readonly version?: unknown } | undefined): string | null {
  const words = [info?.name, info?.version].filter((word) => typeof word === 'string');
  return words.length === 0 ? null : printable(words.join(' '));
}

/** Postgres' text takes neither NUL nor half a surrogate pair. */
function instructionsOf({ instructions }: { instructions?: unknown }): string | null {
  if (typeof instructions !== 'string' || instructions === '') return null;
  return instructions.slice(0, INSTRUCTIONS_CHARS_MAX).replaceAll('\0', '').toWellFormed();
}
