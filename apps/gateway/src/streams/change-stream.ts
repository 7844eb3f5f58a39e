import type { ServerResponse } from 'node:http';
import { META_SERVER_INFO, META_SUBSCRIPTION_ID, SSE_KEEP_ALIVE, type Implementation, type RequestId } from '@portcullis/mcp';
import type { Task } from '../caller/task-keys.js';
import type { Session } from '../session/agent-sessions.js';
import { hasList, LIST_KINDS, type ListKind, type ListSet } from './list-kinds.js';

/** Whose stream it is, and what it is to carry. */
export interface StreamFacts {
  readonly agentId: string;
  readonly keyId: string;
  readonly task?: Task | undefined;
  /** When the access token it was opened with ends; epoch milliseconds. */
  readonly expiresAt?: number | undefined;
  /** The server of a per-server endpoint; null for all. */
  readonly slug: string | null;
  /** The id of the `subscriptions/listen` that opened it; undefined for a legacy GET. */
  readonly listenId: RequestId | undefined;
  readonly session: Session | undefined;
  readonly lists: ListSet;
}

/** Turns of the wheel that a reader may leave its buffer full. */
const STALLED_TURNS_MAX = 4;
const UNREAD_BYTES_MAX = 64 * 1024;

const LEGACY_FRAMES: Readonly<Record<ListKind, string>> = {
  tools: frame('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'),
  prompts: frame('{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}'),
  resources: frame('{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}'),
};

/**
 * One open stream of change messages: a legacy GET, or a modern `subscriptions/listen` whose messages carry its id. It keeps no timer and no
 * buffer of its own.
 */
export class ChangeStream {
  /** Resources it is told of, each with the server that has it for this agent, null for none. */
  resources: Map<string, string | null> | undefined;
  private stalledTurns = 0;

  constructor(
    private readonly response: ServerResponse,
    readonly facts: StreamFacts,
  ) {}

  /** The first message of a listen: what of its filter is honoured (MCP 2026-07-28 §Subscriptions). */
  acknowledge(notifications: object): void {
    this.write(frame(this.modern('notifications/subscriptions/acknowledged', `"notifications":${JSON.stringify(notifications)}`)));
  }

  /** Tells of those lists that the stream was opened for. */
  tellLists(lists: ListSet): void {
    const told = lists & this.facts.lists;
    if (told === 0) return;
    for (const kind of LIST_KINDS) {
      if (!hasList(told, kind)) continue;
      this.write(this.facts.listenId === undefined ? LEGACY_FRAMES[kind] : frame(this.modern(`notifications/${kind}/list_changed`)));
    }
  }

  tellUpdated(uri: string): void {
    const params = `"uri":${JSON.stringify(uri)}`;
    const method = 'notifications/resources/updated';
    const legacy = `{"jsonrpc":"2.0","method":"${method}","params":{${params}}}`;
    this.write(frame(this.facts.listenId === undefined ? legacy : this.modern(method, params)));
  }

  /** A message of a server for the client of this session. */
  notify(message: string): boolean {
    this.write(frame(message));
    return true;
  }

  onGone(listener: () => void): void {
    if (this.isOver) listener();
    else this.response.once('close', listener);
  }

  /** Keeps an idle connection open, and gives up on a reader that has not taken anything for long. */
  turn(): void {
    if (!this.response.writableNeedDrain) {
      this.stalledTurns = 0;
      if (this.isOver) return;
      this.response.write(SSE_KEEP_ALIVE);
      return;
    }
    this.stalledTurns += 1;
    if (this.stalledTurns >= STALLED_TURNS_MAX) this.response.destroy();
  }

  /** Ends the stream in good order: a listen gets its empty result. */
  end(serverInfo: Implementation): void {
    const { listenId } = this.facts;
    if (listenId === undefined || this.isOver) return this.cut();
    const result = { resultType: 'complete', _meta: { [META_SERVER_INFO]: serverInfo, [META_SUBSCRIPTION_ID]: listenId } };
    this.response.end(frame(JSON.stringify({ jsonrpc: '2.0', id: listenId, result })));
  }

  /** Ends it without another word: whoever reads it has lost the right to. */
  cut(): void {
    if (!this.isOver) this.response.end();
  }

  /** Node takes a word after the last one for a fault; a slow reader leaves time for one. */
  private get isOver(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }

  private modern(method: string, params?: string): string {
    const meta = `"_meta":{"${META_SUBSCRIPTION_ID}":${JSON.stringify(this.facts.listenId)}}`;
    return `{"jsonrpc":"2.0","method":"${method}","params":{${params === undefined ? '' : `${params},`}${meta}}}`;
  }

  private write(text: string): void {
    if (this.isOver) return;
    // What lies unread already counts, not how long a message is: a list of resources, or a question, may be longer.
    if (this.response.writableLength > UNREAD_BYTES_MAX) this.response.destroy();
    else this.response.write(text);
  }
}

function frame(message: string): string {
  return `event: message\ndata: ${message}\n\n`;
}
