import { SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Era } from '@portcullis/contracts/names';
import type { JsonObject } from '@portcullis/policy';
import { parseJson } from '@portcullis/mcp';
import { AnswerTap, type Fetch } from '../discovery/answer-tap.js';
import { describeFailure } from '../discovery/describe-failure.js';
import { anything, newClient } from '../discovery/discover-server.js';

export interface ReplayTarget {
  readonly url: string;
  readonly protocol: 'auto' | Era;
  readonly knownEra: Era | undefined;
  readonly isSse: boolean;
}

/** How the call ended: with a result, in the server's own text where that can be told apart, or why there is none. */
export type CallEnd = { readonly result: string; readonly isError: boolean } | { readonly error: string };

const HANDSHAKE_MS = 20_000;

/** Calls a tool as discovery would, in a session of its own. Never throws: what went wrong is said in words. */
export async function callTool(
  target: ReplayTarget,
  call: { readonly name: string; readonly args: JsonObject },
  fetch: Fetch,
  timeoutMs: number,
): Promise<CallEnd> {
  const tap = new AnswerTap(fetch, AbortSignal.timeout(timeoutMs + HANDSHAKE_MS), target.isSse);
  const client = newClient(target);
  const url = new URL(target.url);
  const transport = target.isSse ? new SSEClientTransport(url, { fetch: tap.fetch }) : new StreamableHTTPClientTransport(url, { fetch: tap.fetch });
  let fault: unknown;
  try {
    await client.connect(transport, { timeout: HANDSHAKE_MS });
    const params = { name: call.name, arguments: call.args };
    await client.request({ method: 'tools/call', params }, anything, { timeout: timeoutMs }).catch((error: unknown) => (fault = error));
    const answer = tap.take('tools/call');
    if (answer !== undefined) return endOf(answer);
    return { error: describeFailure(fault, target.url, tap.lastHttp) };
  } catch (error) {
    return { error: describeFailure(error, target.url, tap.lastHttp) };
  } finally {
    if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession().catch(() => undefined);
    await client.close().catch(() => undefined);
  }
}

/** The two orders in which servers write an answer; the trail has digests of their very bytes. */
const written = [
  /^\{"jsonrpc":"2\.0","id":(?:\d+|"[^"\\]*"),"result":(?<result>.*)\}$/s,
  /^\{"result":(?<result>.*),"jsonrpc":"2\.0","id":(?:\d+|"[^"\\]*")\}$/s,
];

function endOf(answer: string): CallEnd {
  const { result, error } = parseJson(answer) as { result?: unknown; error?: { code?: unknown } };
  if (typeof result !== 'object' || result === null) return { error: `The server refused with error ${String(error?.code)}.` };
  const text = written.flatMap((form) => form.exec(answer)?.groups?.['result'] ?? []).find(isJson) ?? JSON.stringify(result);
  return { result: text, isError: 'isError' in result && result.isError === true };
}

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}
