import { SdkErrorCode } from '@modelcontextprotocol/client';
import { EgressRefused } from '@portcullis/egress';
import { TooManyBytes, type HttpAnswer } from './answer-tap.js';
import { DiscoveryFailure } from './discovery-failure.js';

/** What an operator is told of an error on the way to a server: what happened and where to look, never a stack. */
export function describeFailure(error: unknown, url: string, http: HttpAnswer | undefined): string {
  const chain = causesOf(error);
  return (
    describeUnreached(error, url) ??
    describeHttp(http) ??
    describeProtocol(codesOf(chain), chain) ??
    'The server does not answer as an MCP server. Check the path of the URL.'
  );
}

/** Why nothing came of an address at all; undefined where something did. */
export function describeUnreached(error: unknown, url: string): string | undefined {
  const chain = causesOf(error);
  const ours = chain.find((cause) => cause instanceof DiscoveryFailure || cause instanceof EgressRefused || cause instanceof TooManyBytes);
  if (ours !== undefined) return ours.message.endsWith('.') ? ours.message : `${ours.message}.`;
  const codes = codesOf(chain);
  return describeNetwork(codes, new URL(url)) ?? describeTimeout(codes, chain);
}

const codesOf = (chain: readonly Cause[]): string[] => chain.flatMap(({ code }) => (typeof code === 'string' ? [code] : []));

interface Cause extends Error {
  readonly code?: unknown;
}

function causesOf(error: unknown): Cause[] {
  const chain: Cause[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 10; cause = cause.cause) {
    chain.push(cause);
    if (cause instanceof AggregateError && cause.errors[0] instanceof Error) chain.push(cause.errors[0]);
  }
  return chain;
}

function describeNetwork(codes: readonly string[], { host, hostname, protocol }: URL): string | undefined {
  for (const code of codes) {
    if (code === 'ECONNREFUSED') return `The connection to ${host} was refused. Is the server running there?`;
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The host name ${hostname} cannot be resolved.`;
    if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE') return `${host} closed the connection before it answered.`;
    if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return `No connection to ${host} could be made in time.`;
    if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `There is no way to ${host} from here.`;
    if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'The answers of the server are too large.';
    if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return `${host} does not answer in HTTP.`;
    if (/CERT|^ERR_TLS|^ERR_SSL|^EPROTO$|SELF_SIGNED|UNABLE_TO_/.test(code)) {
      return protocol === 'https:' ? `The TLS connection to ${host} failed (${code}).` : `${host} does not answer in HTTP.`;
    }
  }
  return undefined;
}

function describeTimeout(codes: readonly string[], chain: readonly Error[]): string | undefined {
  const isTimeout =
    codes.some((code) => code === SdkErrorCode.RequestTimeout || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') ||
    chain.some(({ name }) => name === 'TimeoutError');
  return isTimeout ? 'The server did not answer in time.' : undefined;
}

function describeHttp(http: HttpAnswer | undefined): string | undefined {
  if (http === undefined) return undefined;
  if (http.status < 400) return isMcpType(http.contentType) ? undefined : 'The server does not answer as an MCP server. Check the path of the URL.';
  if (http.status === 401) return 'The server asks for authentication (HTTP 401).';
  if (http.status === 403) return 'The server refuses access (HTTP 403).';
  if (http.status === 404 || http.status === 405) return `There is no MCP endpoint at this URL (HTTP ${http.status}). Check its path.`;
  if (http.status === 429) return 'The server has too many requests at the moment (HTTP 429).';
  return `The server answered ${http.method} with HTTP ${http.status}.`;
}

const isMcpType = (type: string): boolean => /^(application\/json|text\/event-stream)\b/i.test(type);

function describeProtocol(codes: readonly string[], chain: readonly Cause[]): string | undefined {
  if (codes.includes(SdkErrorCode.EraNegotiationFailed))
    return 'The server speaks no protocol version that was asked of it. Check the protocol setting.';
  const refusal = chain.find(({ code }) => typeof code === 'number');
  return refusal === undefined ? undefined : `The server refused with error ${String(refusal.code)}: ${printable(refusal.message)}`;
}

/** Words of a server, short and without anything that could act on a terminal or a page. */
export function printable(text: string): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
