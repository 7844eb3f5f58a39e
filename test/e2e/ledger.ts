import { setTimeout as pause } from 'node:timers/promises';
import { messageIn, sendMcp } from './raw-mcp.js';

/** What a crowd of agents' clients sent, and what they were answered. Every call carries a text of its own and is sent once. */
export interface Ledger {
  readonly sent: ReadonlySet<string>;
  /** Those that got their result whole. */
  readonly answered: ReadonlySet<string>;
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
}

/** Calls and calls until it is stopped; a call that fails is written down and never repeated. */
export function startCrowd({ urls, key, tool, clientsPerNode }: Crowd): Ledger {
  const sent = new Set<string>();
  const answered = new Set<string>();
  const byNode = new Map<string, number>();
  let isStopping = false;
  const callOnce = async (url: string, client: number): Promise<void> => {
    const text = `call ${sent.size + 1}`;
    sent.add(text);
    const params = { name: tool, arguments: { text } };
    const answer = await sendMcp(url, { key, era: client % 2 === 0 ? 'modern' : 'legacy', method: 'tools/call', params });
    if (messageIn(answer).result?.content?.[0]?.text?.endsWith(`: ${text}`) !== true) throw new Error(`${answer.status} ${answer.body}`);
    answered.add(text);
    byNode.set(url, (byNode.get(url) ?? 0) + 1);
  };
  const work = async (url: string, client: number): Promise<void> => {
    // A node that is down is asked again a moment later, as clients do.
    while (!isStopping) await callOnce(url, client).catch(() => pause(50));
  };
  const all = Promise.all(urls.flatMap((url) => Array.from({ length: clientsPerNode }, (_, client) => work(url, client))));
  const stop = async (): Promise<void> => {
    isStopping = true;
    await all;
  };
  return { sent, answered, answeredAt: (url) => byNode.get(url) ?? 0, stop };
}
