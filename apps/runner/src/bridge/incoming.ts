import { isJsonObject, isRequestId, ownMember, parseJson, type JsonObject } from '@portcullis/mcp';
import { readSpans, type MessageSpans } from './message-spans.js';

/** A message that came over HTTP: whole, on one line, and sure to be JSON. */
export interface Incoming {
  readonly kind: 'request' | 'notification' | 'response';
  readonly bytes: Buffer;
  readonly spans: MessageSpans;
  /** Empty for a response. */
  readonly method: string;
  readonly params: JsonObject | undefined;
}

/** Reads one message; undefined for what is none, batches included. The bytes are changed: line ends become spaces. */
export function readIncoming(bytes: Buffer): Incoming | undefined {
  const message = parse(bytes);
  if (!isJsonObject(message)) return undefined;
  // After it is known to be JSON: there line ends stand only between tokens, and on stdin one would end the message.
  for (const end of [0x0a, 0x0d]) for (let at = bytes.indexOf(end); at >= 0; at = bytes.indexOf(end, at)) bytes[at] = 0x20;
  const spans = readSpans(bytes);
  if (spans === undefined) return undefined;
  const method = ownMember(message, 'method');
  const params = ownMember(message, 'params');
  const hasId = Object.hasOwn(message, 'id');
  if (hasId && !isRequestId(ownMember(message, 'id'))) return undefined;
  const rest = { bytes, spans, method: typeof method === 'string' ? method : '', params: isJsonObject(params) ? params : undefined };
  if (typeof method === 'string') return { kind: hasId ? 'request' : 'notification', ...rest };
  return hasId && method === undefined ? { kind: 'response', ...rest } : undefined;
}

function parse(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString());
  } catch {
    return undefined;
  }
}
