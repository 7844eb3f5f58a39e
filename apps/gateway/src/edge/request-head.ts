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

const HEADERS_MAX = 200;

/**
 * Reads the headers from their raw lines. A header that only makes sense once and came twice is refused (`client.malformed`; for `Origin`
 * `client.forbidden_origin`): whoever stands before or behind us might take the other one.
 */
export function readHead(rawHeaders: readonly string[]): RequestHead {
  if (rawHeaders.length > HEADERS_MAX * 2) throw new GatewayError('client.headers_too_large');
  const head: RequestHead = {};
  for (let at = 0; at < rawHeaders.length; at += 2) take(head, (rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? '');
  return head;
}

/** A switch, and no table: half of what the headers of a call cost. */
function take(head: RequestHead, name: string, value: string): void {
  switch (name) {
    case 'host':
      head.host = once(head.host, value, name);
      break;
    case 'origin':
      head.origin = once(head.origin, value, name);
      break;
    case 'authorization':
      head.authorization = once(head.authorization, value, name);
      break;
    case 'content-type':
      head.contentType = once(head.contentType, value, name);
      break;
    case 'content-encoding':
      head.contentEncoding = once(head.contentEncoding, value, name);
      break;
    case 'content-length':
      head.contentLength = once(head.contentLength, value, name);
      break;
    case 'accept':
      // A list by its grammar, so that several lines of it are one.
      head.accept = head.accept === undefined ? value : `${head.accept}, ${value}`;
      break;
    case 'mcp-protocol-version':
      head.protocolVersion = once(head.protocolVersion, value, name);
      break;
    case 'mcp-method':
      head.mcpMethod = once(head.mcpMethod, value, name);
      break;
    case 'mcp-name':
      head.mcpName = once(head.mcpName, value, name);
      break;
    case 'mcp-session-id':
      head.sessionId = once(head.sessionId, value, name);
      break;
    case 'last-event-id':
      head.lastEventId = once(head.lastEventId, value, name);
      break;
    case 'x-min-policy-revision':
      head.minPolicyRevision = once(head.minPolicyRevision, value, name);
      break;
    case 'traceparent':
      head.traceparent = once(head.traceparent, value, name);
      break;
    default:
      if (name.startsWith('mcp-')) takeExtra((head.protocolExtras ??= new Map()), name, value);
  }
}

function once(earlier: string | undefined, value: string, name: string): string {
  if (earlier === undefined) return value;
  throw new GatewayError(name === 'origin' ? 'client.forbidden_origin' : 'client.malformed', { twice: name });
}

function takeExtra(extras: Map<string, string>, name: string, value: string): void {
  if (extras.has(name)) throw new GatewayError('client.malformed', { twice: name.slice(0, 64) });
  extras.set(name, value);
}
