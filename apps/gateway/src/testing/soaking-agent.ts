import type { Agent as Connections } from 'undici';
import { request } from 'undici';
import { mcpHeaders } from './mcp-headers.js';
import { mcpRequest, type Asked } from './mcp-message.js';
import { ownersIn, tagOf } from './tagging-server.js';

/** One agent that calls, listens, cancels and hangs up at random, and looks at every byte it gets. */
export interface SoakingAgent {
  readonly slug: string;
  readonly token: string;
  readonly tool: string;
}

/** What all of them saw. */
export interface SoakReport {
  readonly calls: Map<string, number>;
  readonly foreign: string[];
  hangUps: number;
  cancels: number;
  bytes: number;
}

export const emptyReport = (): SoakReport => ({ calls: new Map(), foreign: [], hangUps: 0, cancels: 0, bytes: 0 });

interface Place {
  readonly urls: readonly string[];
  /** Shared by all agents, as behind a proxy: one connection carries the requests of many. */
  readonly connections: Connections;
  readonly report: SoakReport;
}

interface Answer {
  readonly text: string;
  readonly session: string | undefined;
}

const HANDSHAKE = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'soak', version: '1' } };
const IDS = 3;
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item;

/** Goes on for as long as it is told to. Ids and progress tokens are the same few for everybody. */
export async function soak(agent: SoakingAgent, place: Place, goesOn: () => boolean): Promise<void> {
  const started = await send(agent, place, { method: 'initialize', params: HANDSHAKE });
  for (let turn = 0; goesOn(); turn += 1) {
    const asked: Asked = {
      era: pick(['legacy', 'modern']),
      id: 1 + (turn % IDS),
      ...(Math.random() < 0.7 && started.session !== undefined && { headers: { 'Mcp-Session-Id': started.session } }),
    };
    if (Math.random() < 0.15) await send(agent, place, { ...asked, method: 'tools/list' });
    else await call(agent, place, asked);
  }
}

async function call(agent: SoakingAgent, place: Place, asked: Asked): Promise<void> {
  const { report } = place;
  const fate = pick(['answer', 'answer', 'answer', 'hang up', 'cancel'] as const);
  const nonce = `${agent.slug}/${String(Math.random()).slice(2)}`;
  const params = {
    name: `${pick(['modern', 'legacy'])}__${agent.tool}`,
    arguments: { tag: agent.slug, nonce, slow: fate !== 'answer' },
    ...(Math.random() < 0.5 && { _meta: { progressToken: 'p' } }),
  };
  const leaving = new AbortController();
  const timer = fate === 'hang up' ? setTimeout(() => leaving.abort(), Math.random() * 100) : undefined;
  const answer = send(agent, place, { ...asked, method: 'tools/call', params }, leaving.signal);
  if (fate === 'cancel') {
    await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, Math.random() * 60))]);
    await cancel(agent, place, asked);
  }
  const { text } = await answer;
  clearTimeout(timer);
  if (fate === 'hang up') report.hangUps += 1;
  if (fate !== 'answer') return;
  const { id } = asked;
  const isOwn = text.includes(nonce) && text.includes(`"id":${String(id)}`) && !text.includes('"error"');
  if (!isOwn) report.foreign.push(`${agent.slug} asked ${nonce} and got ${text.slice(0, 300)}`);
  report.calls.set(agent.slug, (report.calls.get(agent.slug) ?? 0) + 1);
}

/** Whatever else runs under this id, of others too, must go on. */
async function cancel(agent: SoakingAgent, place: Place, { id, headers = {} }: Asked): Promise<void> {
  place.report.cancels += 1;
  const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
  await post(agent, place, { headers: { 'Mcp-Session-Id': headers['Mcp-Session-Id'] }, body });
}

function send(agent: SoakingAgent, place: Place, asked: Asked & { method: string }, signal?: AbortSignal): Promise<Answer> {
  const { headers = {}, body = '' } = mcpRequest(asked.method, asked);
  return post(agent, place, { headers, body: String(body), ...(signal !== undefined && { signal }) });
}

interface Post {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly signal?: AbortSignal;
}

async function post(agent: SoakingAgent, { urls, connections, report }: Place, { headers, body, signal }: Post): Promise<Answer> {
  let text = '';
  let session: string | undefined;
  try {
    const response = await request(`${pick(urls)}/mcp`, {
      method: 'POST',
      dispatcher: connections,
      headers: {
        ...mcpHeaders(agent.token),
        ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
      },
      body,
      ...(signal !== undefined && { signal }),
    });
    text = JSON.stringify(response.headers);
    const sessionHeader = response.headers['mcp-session-id'];
    session = typeof sessionHeader === 'string' ? sessionHeader : undefined;
    for await (const chunk of response.body) text += String(chunk);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
  report.bytes += text.length;
  for (const owner of ownersIn(text)) if (tagOf(owner) !== tagOf(agent.slug)) report.foreign.push(`${agent.slug} got a text of ${owner}`);
  return { text, session };
}
