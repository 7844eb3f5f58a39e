import type { SseParser } from '@portcullis/mcp';

const RETRY_MS = 1000;
const RETRY_MS_MAX = 60_000;
const TIMES_MAX = 100;

/**
 * How a stream that broke off before its answer is gone on with (MCP 2025-11-25 §Resumability and Redelivery): a server that numbers its events keeps
 * those that follow, and what was called runs on. Nothing is sent again.
 */
export class Resumption {
  private times = 0;
  private lastEventId: string | undefined;

  constructor(private readonly headers: readonly string[]) {}

  get isUnderWay(): boolean {
    return this.times > 0;
  }

  /** The request to go on with, and when the server wants it; undefined where it has given no place to go on from. */
  next({ lastEventId, retryMs }: Pick<SseParser, 'lastEventId' | 'retryMs'>): { readonly headers: string[]; readonly afterMs: number } | undefined {
    if (lastEventId !== undefined && /^[\x20-\x7e]{1,1024}$/.test(lastEventId)) this.lastEventId = lastEventId;
    if (this.lastEventId === undefined || this.times >= TIMES_MAX) return undefined;
    this.times += 1;
    const headers = ['accept', 'text/event-stream', 'last-event-id', this.lastEventId, ...this.headers];
    return { headers, afterMs: Math.min(retryMs ?? RETRY_MS, RETRY_MS_MAX) };
  }
}
