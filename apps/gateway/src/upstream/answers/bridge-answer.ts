import type { Capture } from '@portcullis/audit';
import { GatewayError } from '@portcullis/contracts/errors';
import {
  contentFor,
  isJsonObject,
  legacyError,
  legacyResult,
  META_SERVER_INFO,
  modernError,
  modernResult,
  ownMember,
  resultTypeOf,
  type Era,
  type Implementation,
  type RequestId,
} from '@portcullis/mcp';
import type { RpcAnswer } from './read-answer.js';

/** Between which eras an answer is carried, and for what request. */
export interface Bridge {
  readonly id: RequestId;
  readonly method: string;
  readonly agentEra: Era;
  /** The revision the agent speaks. */
  readonly agentVersion: string;
  readonly serverEra: Era;
  readonly serverInfo: Implementation;
}

/** An answer as the agent gets it, and what the audit trail says of it. */
export interface BridgedAnswer {
  readonly message: string;
  readonly status: 'success' | 'tool_error' | 'upstream_error' | 'denied';
  readonly result: string | Capture;
  /** What rules on answers found. */
  readonly reason?: string | undefined;
  /** What the server said, where the agent gets less. */
  readonly said?: string;
  /** Lets go what is held back of an answer that is on its way already; `message` is empty then. */
  readonly release?: () => void;
  /** Where it is not 200. */
  readonly httpStatus?: number;
}

/** Carries a server's answer to the agent's era: the same bytes, with only the members added or taken that the other era demands. */
export function bridgeAnswer(answer: RpcAnswer, bridge: Bridge): BridgedAnswer {
  const { id, method, agentEra } = bridge;
  if (answer.error !== undefined) {
    const error = agentEra === 'modern' ? modernError(answer.error) : legacyError(answer.error, method);
    const result = JSON.stringify(error);
    return { message: `{"jsonrpc":"2.0","error":${result},"id":${JSON.stringify(id)}}`, status: 'upstream_error', result };
  }
  const result = resultFor(answer, bridge);
  const isError = answer.result !== undefined && ownMember(answer.result, 'isError') === true;
  return { message: `{"jsonrpc":"2.0","result":${result},"id":${JSON.stringify(id)}}`, status: isError ? 'tool_error' : 'success', result };
}

function resultFor({ result, resultJson }: RpcAnswer, { agentEra, agentVersion, serverEra, serverInfo, method }: Bridge): string {
  if (result === undefined) return resultJson;
  // What asks for input has been dealt with; of other kinds nothing is known.
  if (serverEra === 'modern' && resultTypeOf(result) !== 'complete') throw new GatewayError('upstream.protocol', { fault: 'resultType' });
  if (agentEra === 'legacy') {
    const adapted = contentFor(agentVersion, needsLegacyForm(result) ? legacyResult(result) : result);
    return adapted === result ? resultJson : JSON.stringify(adapted);
  }
  const isCacheable = method === 'resources/read';
  const isWhole = Object.hasOwn(result, 'resultType') && !isCacheable;
  if (isWhole) return resultJson;
  if (isCacheable || Object.hasOwn(result, '_meta') || Object.hasOwn(result, 'resultType')) {
    return JSON.stringify(modernResult(result, serverInfo, isCacheable ? { ttlMs: 0 } : undefined));
  }
  const rest = resultJson.slice(resultJson.indexOf('{') + 1);
  const added = `"resultType":"complete","_meta":{"${META_SERVER_INFO}":${JSON.stringify(serverInfo)}}`;
  return Object.keys(result).length === 0 ? `{${added}}` : `{${added},${rest}`;
}

/** The modern members are harmless to a legacy client and stay; a structured content it would refuse does not. */
function needsLegacyForm(result: RpcAnswer['result']): boolean {
  if (result === undefined) return false;
  const structured = ownMember(result, 'structuredContent');
  return structured !== undefined && !isJsonObject(structured);
}
