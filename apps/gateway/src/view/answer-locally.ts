import type { DefinitionKind } from '@portcullis/contracts/names';
import { GatewayError } from '@portcullis/contracts/errors';
import {
  askableCapabilities,
  discoverResult,
  emptyResult,
  initializeResult,
  ownMember,
  type ClassifiedRequest,
  type JsonObject,
} from '@portcullis/mcp';
import type { Visit } from '../visit.js';
import type { AgentView } from './agent-view.js';
import { openCursor, sealCursor } from './cursor.js';
import { listPage, type Position } from './list-pages.js';
import { serverDeclares } from './server-capabilities.js';

/** The result of a request that no server is asked for. */
export interface LocalAnswer {
  readonly result: string | Buffer;
  /** The legacy session that begins with this answer. */
  readonly sessionId?: string;
}

const LISTS: ReadonlyMap<string, DefinitionKind> = new Map([
  ['tools/list', 'tool'],
  ['prompts/list', 'prompt'],
  ['resources/list', 'resource'],
  ['resources/templates/list', 'resource_template'],
]);

/** Whether a setting, and not the rule, says that this method leaves an audit event. */
export const isHandshakeOrList = (method: string): boolean => LISTS.has(method) || method === 'initialize' || method === 'server/discover';

/** What gateways of this build can do, less what none of the servers could that this agent sees. */
const capabilitiesFor = ({ servers }: AgentView): JsonObject => ({
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  ...(servers.some((server) => serverDeclares(server, 'completions')) && { completions: {} }),
  ...(servers.some((server) => serverDeclares(server, 'logging')) && { logging: {} }),
});

/** Answers handshakes, `ping` and lists from memory; undefined for a method that needs a server or that nobody knows. */
export function answerLocally(call: ClassifiedRequest, view: AgentView, visit: Visit): LocalAnswer | undefined {
  const { serverInfo } = visit.gateway;
  const kind = LISTS.get(call.method);
  if (kind !== undefined) return { result: answerList(call, kind, { view, visit }) };
  if (call.era === 'modern') {
    if (call.method !== 'server/discover') return undefined;
    return { result: discoverResult({ capabilities: capabilitiesFor(view), serverInfo, instructions: instructionsOf(view) }) };
  }
  if (call.method === 'ping') return { result: emptyResult({ era: call.era, serverInfo }) };
  if (call.method !== 'initialize') return undefined;
  const capabilities = askableCapabilities(call.clientCapabilities);
  const sessionId = visit.gateway.sessions.start(visit.caller.agent.id, call.version, {
    capabilities,
    now: visit.now,
    principal: visit.caller.principal,
  });
  const instructions = instructionsOf(view);
  return { result: initializeResult({ protocolVersion: call.version, capabilities: capabilitiesFor(view), serverInfo, instructions }), sessionId };
}

function answerList(call: ClassifiedRequest, kind: DefinitionKind, at: { view: AgentView; visit: Visit }): Buffer {
  const { gateway, caller, slug } = at.visit;
  const place = { method: call.method, agentId: caller.agent.id, slug };
  const cursor = call.params === undefined ? undefined : ownMember(call.params, 'cursor');
  let after: Position | undefined;
  if (cursor !== undefined) {
    after = typeof cursor === 'string' ? openCursor(gateway.sealer(), cursor, place) : undefined;
    if (after === undefined) throw new GatewayError('client.invalid_params', { cursor: true });
  }
  const cursorFor = (position: Position): string => sealCursor(gateway.sealer(), position, place);
  return listPage(at.view, { kind, era: call.era, after, serverInfo: gateway.serverInfo, cursorFor });
}

const INSTRUCTIONS_CHARS_MAX = 16_384;

/** What the servers this agent sees say about their use, and of no other. */
function instructionsOf(view: AgentView): string | undefined {
  const texts = view.servers.flatMap(({ slug, instructions }) => (instructions === null ? [] : [{ slug, instructions }]));
  if (texts.length === 0) return undefined;
  const joined = view.slug === null ? texts.map(({ slug, instructions }) => `# ${slug}\n${instructions}`) : texts.map((text) => text.instructions);
  return joined.join('\n\n').slice(0, INSTRUCTIONS_CHARS_MAX).toWellFormed();
}
