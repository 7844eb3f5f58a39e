import { isJsonObject, ownMember, parseJson, type JsonObject } from '@portcullis/mcp';
import { LIST_KINDS } from '../streams/list-kinds.js';

/** What a server says on its own. */
export interface ChangeEvents {
  readonly onLists: () => void;
  readonly onUpdated: (uri: string) => void;
}

/** A server that tells of changes, through whichever means its era has. */
export interface ChangeSource {
  /** Begins to listen, for these resources and every list; fulfilled once the server has agreed. Throws `UnsupportedSource` where it cannot. */
  open(uris: ReadonlySet<string>): Promise<OpenSource>;
  /** Nothing more is wanted of the server. */
  close(): void;
}

/** A source that is being listened to. */
export interface OpenSource {
  /** Fulfilled when the server has stopped telling. */
  readonly ended: Promise<void>;
  /** Listens for other resources from here on; undefined where that takes opening anew. */
  readonly adapt: ((uris: ReadonlySet<string>) => Promise<void>) | undefined;
  close(): void;
}

/** The server answered that it tells nothing. */
export class UnsupportedSource extends Error {
  override readonly name = 'UnsupportedSource';
}

const URI_CHARS_MAX = 2048;
const LIST_METHODS: ReadonlySet<unknown> = new Set(LIST_KINDS.map((kind) => `notifications/${kind}/list_changed`));

/** One message of a stream, or undefined for what is none. */
export function readMessage(text: string): JsonObject | undefined {
  try {
    const message: unknown = parseJson(text);
    return isJsonObject(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Passes on what a message says of changes; everything else is nobody's concern here. */
export function tellChange(message: JsonObject, events: ChangeEvents): void {
  const method = ownMember(message, 'method');
  if (LIST_METHODS.has(method)) events.onLists();
  if (method !== 'notifications/resources/updated') return;
  const params = ownMember(message, 'params');
  const uri = isJsonObject(params) ? ownMember(params, 'uri') : undefined;
  if (typeof uri === 'string' && uri.length <= URI_CHARS_MAX) events.onUpdated(uri);
}
