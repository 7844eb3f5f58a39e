import type { IncomingMessage } from 'node:http';
import { GatewayError } from '@portcullis/contracts/errors';
import type { NameFilter } from './allowed-names.js';
import { readHead, type RequestHead } from './request-head.js';
import { routeOf, type Route } from './route.js';

/** What the edge lets through, from the node's own configuration. */
export interface Edge {
  readonly isAllowedHost: NameFilter;
  readonly isAllowedOrigin: NameFilter;
  readonly bodyBytesMax: number;
}

/** A request whose connection-level faults are excluded; nothing of its body was read. */
export interface FilteredRequest {
  readonly head: RequestHead;
  readonly route: Route;
}

/**
 * The part of the front filter that comes before authentication, cheapest first: HTTP version, headers that came twice, target, `Host`,
 * `Origin`, path, method.
 */
export function filterRequest(request: IncomingMessage, edge: Edge): FilteredRequest {
  if (request.httpVersionMajor !== 1 || request.httpVersionMinor !== 1)
    throw new GatewayError('client.malformed', { httpVersion: request.httpVersion });
  const head = readHead(request.rawHeaders);
  const target = request.url ?? '';
  // Absolute-form names a host of its own, which no list here would see.
  if (!target.startsWith('/') && target !== '*') throw new GatewayError('client.malformed', { target: 'not in origin-form' });
  if (!edge.isAllowedHost(head.host)) throw new GatewayError('client.forbidden_origin', { header: 'host' });
  if (!edge.isAllowedOrigin(head.origin)) throw new GatewayError('client.forbidden_origin', { header: 'origin' });
  const route = routeOf(target);
  if (route === undefined) throw new GatewayError('client.not_found');
  if (request.method !== 'POST' && request.method !== 'GET' && request.method !== 'DELETE') throw new GatewayError('client.method_not_allowed');
  return { head, route };
}

const CONTENT_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i;
const USUAL_ACCEPT = 'application/json, text/event-stream';
const LENGTH = /^\d{1,15}$/;

/** The part after authentication, before the body is read: its type, encoding and length, and whether the caller takes what we may answer. */
export function filterBodyHeaders(head: RequestHead, edge: Edge): void {
  const type = head.contentType;
  // Only this type: a page may send others across origins without asking first.
  if (type === undefined || (type !== 'application/json' && !CONTENT_TYPE.test(type))) throw new GatewayError('client.unsupported_media_type');
  if (head.contentEncoding !== undefined) throw new GatewayError('client.unsupported_media_type', { contentEncoding: true });
  if (head.accept !== USUAL_ACCEPT && !takesBoth(head.accept)) throw new GatewayError('client.not_acceptable');
  if (head.contentLength === undefined) return;
  if (!LENGTH.test(head.contentLength)) throw new GatewayError('client.malformed');
  if (Number(head.contentLength) > edge.bodyBytesMax) throw new GatewayError('client.too_large');
}

/** Whether a caller that asks for a stream takes one. */
export function takesEventStream(accept: string | undefined): boolean {
  return acceptedBy(accept).stream;
}

function takesBoth(accept: string | undefined): boolean {
  const { json, stream } = acceptedBy(accept);
  return json && stream;
}

function acceptedBy(accept: string | undefined): { json: boolean; stream: boolean } {
  let json = false;
  let stream = false;
  if (accept === undefined || accept.length > 1024) return { json, stream };
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    if (parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter))) continue;
    json ||= type === 'application/json' || type === 'application/*' || type === '*/*';
    stream ||= type === 'text/event-stream' || type === 'text/*' || type === '*/*';
  }
  return { json, stream };
}
