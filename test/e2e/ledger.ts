import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { messageIn, type RawAnswer, sendMcp } from './raw-mcp.js';

export type Kind = 'call' | 'list' | 'denied';

/** How a request ended for its sender. Undefined while it has not, or where the connection broke before the answer was whole. */
export type Answer =
  | 'result' // what was asked for, and nothing of anybody else
  | 'error' // a JSON-RPC error or refusal in a whole answer, which has to be on record
  | 'turned away' // the node itself could not serve (503), and said so
  | 'foreign'; // a result that is not of this call

export interface LedgerEntry {
  readonly kind: Kind;
  readonly url: string;
  answer: Answer | undefined;
}

/** What a crowd of agents' clients sent, and what they were answered. Every request carries a trace id of its own, which calls also have as text, and is sent once. */
export interface Ledger {
  /** By trace id. All of them begin alike. */
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly prefix: string;
  /** Milliseconds that answered requests took. */
  readonly tookMs: readonly number[];
  /** How many that node answered so far. */
  answeredAt(url: string): number;
  /** Ends when every call in progress has ended, one way or another. */
  stop(): Promise<void>;
}

interface Crowd {
  readonly urls: readonly string[];
  readonly key: string;
  readonly tool: string;
  readonly clientsPerNode: number;
  /** Requests of all together; as many as they can where it is left out. */
  readonly perSecond?: number;
  /** Of the tenth, twentieth … request and so on: what it is. Calls alone where it is left out. */
  readonly kinds?: readonly Kind[];
  /** Where each request and each answer is written down as it happens. */
  readonly file?: string;
}

/** Calls and calls until it is stopped; a call that fails is written down and never repeated. */
export function startCrowd({ urls, key, tool, clientsPerNode, perSecond, kinds = ['call'], file }: Crowd): Ledger {
  const entries = new Map<string, LedgerEntry>();
  const byNode = new Map<string, number>();
  const tookMs: number[] = [];
  const prefix = randomBytes(8).toString('hex');
  const gapMs = perSecond === undefined ? 0 : (1000 * clientsPerNode * urls.length) / perSecond;
  let isStopping = false;
  const write = (line: object): void => {
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
  };
  const sendOnce = async (url: string, client: number): Promise<void> => {
    const traceId = `${prefix}${(entries.size + 1).toString(16).padStart(16, '0')}`;
    const entry: LedgerEntry = { kind: kinds[entries.size % kinds.length] ?? 'call', url, answer: undefined };
    entries.set(traceId, entry);
    const at = performance.now();
    write({ traceId, kind: entry.kind, url });
    const request = requestOf(entry.kind, tool, traceId);
    const answer = await sendMcp(url, {
      key,
      era: client % 2 === 0 ? 'modern' : 'legacy',
      ...request,
      traceparent: `00-${traceId}-${traceId.slice(-16)}-01`,
    });
    entry.answer = judge(answer, entry.kind, traceId);
    write({ traceId, answer: entry.answer, status: answer.status });
    if (entry.answer === 'turned away') throw new Error(answer.body);
    tookMs.push(performance.now() - at);
    byNode.set(url, (byNode.get(url) ?? 0) + 1);
  };
  const work = async (url: string, client: number): Promise<void> => {
    await pause(gapMs * (client / clientsPerNode));
    while (!isStopping) {
      const next = performance.now() + gapMs;
      // A node that is down is asked again a moment later, as clients do.
      await sendOnce(url, client).catch(() => pause(50));
      if (gapMs > 0) await pause(Math.max(0, next - performance.now()));
    }
  };
  const all = Promise.all(urls.flatMap((url) => Array.from({ length: clientsPerNode }, (_, client) => work(url, client))));
  const stop = async (): Promise<void> => {
    isStopping = true;
    await all;
  };
  return { entries, prefix, tookMs, answeredAt: (url) => byNode.get(url) ?? 0, stop };
}

function requestOf(kind: Kind, tool: string, text: string): { method: string; params?: Record<string, unknown> } {
  if (kind === 'list') return { method: 'tools/list' };
  return { method: 'tools/call', params: { name: kind === 'denied' ? `${tool}-no-more` : tool, arguments: { text } } };
}

function judge(answer: RawAnswer, kind: Kind, text: string): Answer {
  if (answer.status === 503) return 'turned away';
  const { result } = messageIn(answer);
  if (result === undefined || result.isError === true) return 'error';
  if (kind === 'list') return 'result';
  return kind === 'call' && result.content?.[0]?.text?.endsWith(`: ${text}`) === true ? 'result' : 'foreign';
}
