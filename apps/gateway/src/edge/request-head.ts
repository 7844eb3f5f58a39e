import { GatewayError } from '@portcullis/contracts/errors';

/** The headers of one request that the data path looks at; each was sent at most once. */
export interface RequestHead {
  host?: string;
  origin?: string;
  authorization?: string;
  contentType?: string;
  contentEncoding?: string;
  contentLength?: string;
  accept?: string;
  protocolVersion?: string;
  mcpMethod?: string;
  mcpName?: string;
  sessionId?: string;
  lastEventId?: string;
  minPolicyRevision?: string;
  traceparent?: string;
  /** `Mcp-Param-*` and other headers of the protocol that are not read here, by lower-case name. */
  protocolExtras?: Map<string, string>;
}

type SingleHeader = Exclude<keyof RequestHead, 'protocolExtras'>;

const MEMBERS: ReadonlyMap<string, SingleHeader> = new Map([
  ['host', 'host'],
  ['origin', 'origin'],
  ['authorization', 'authorization'],
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['content-length', 'contentLength'],
  ['accept', 'accept'],
  ['mcp-protocol-version', 'protocolVersion'],
  ['mcp-method', 'mcpMethod'],
  ['mcp-name', 'mcpName'],
  ['mcp-session-id', 'sessionId'],
  ['last-event-id', 'lastEventId'],
  ['x-min-policy-revision', 'minPolicyRevision'],
  ['traceparent', 'traceparent'],
]);

const HEADERS_MAX = 200;

/** A list by its grammar, so that several lines of it are one; every other header here may come once. */
const JOINED: ReadonlySet<SingleHeader> = new Set(['accept']);

/**
 * Reads the headers from their raw lines. A header that only makes sense once and came twice is refused (`client.malformed`; for `Origin`
 * `client.forbidden_origin`): whoever stands before or behind us might take the other one.
 */
export function readHead(rawHeaders: readonly string[]): RequestHead {
  if (rawHeaders.length > HEADERS_MAX * 2) throw new GatewayError('client.headers_too_large');
  const head: RequestHead = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const member = MEMBERS.get(name);
    if (member !== undefined) {
      const earlier = head[member];
      if (earlier === undefined) head[member] = value;
      else if (JOINED.has(member)) head[member] = `${earlier}, ${value}`;
      else throw new GatewayError(member === 'origin' ? 'client.forbidden_origin' : 'client.malformed', { twice: name });
    } else if (name.startsWith('mcp-')) {
      head.protocolExtras ??= new Map();
      if (head.protocolExtras.has(name)) throw new GatewayError('client.malformed', { twice: name.slice(0, 64) });
      head.protocolExtras.set(name, value);
    }
  }
  return head;
}
