import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError } from '@portcullis/contracts/errors';
import {
  isJsonObject,
  ownMember,
  questionUrl,
  readInputRequired,
  toolErrorResult,
  urlElicitationsOf,
  type ClassifiedRequest,
  type InputRequired,
  type JsonObject,
  type Question,
  type RpcError,
} from '@portcullis/mcp';
import { putQuestion, questionFault, requiredFor, shown } from '../questions/put-question.js';
import { withRetryMembers } from '../questions/read-retry.js';
import { rpcError } from '../reply/error-message.js';
import { eraTowards } from '../view/era-towards.js';
import type { BridgedAnswer } from './answers/bridge-answer.js';
import type { RpcAnswer } from './answers/read-answer.js';
import type { CallToServer } from './call-to-server.js';

/** How often one call of a legacy client may be asked before it fails. */
const ROUNDS_MAX = 8;
const STATE_ONLY_PAUSE_MS = 250;
const MISSING_CAPABILITY = -32021;
const URL_ELICITATION = -32042;
const RELAYED: ReadonlySet<string> = new Set(['elicitation', 'sampling', 'roots']);

/** Whether an answer asks for something before there can be a result. */
export function isAsking({ result, error }: RpcAnswer): boolean {
  if (error !== undefined) return error.code === MISSING_CAPABILITY || error.code === URL_ELICITATION;
  return result !== undefined && ownMember(result, 'resultType') === 'input_required';
}

/**
 * What becomes of an answer that asks: what the agent gets, the call to send next with what the agent said, or undefined where it is an answer like
 * any other.
 */
export async function askBetween(
  answer: RpcAnswer,
  { work, call, round }: { work: CallToServer; call: ClassifiedRequest; round: number },
): Promise<BridgedAnswer | ClassifiedRequest | undefined> {
  if (answer.error !== undefined) return bridgeAskingError(answer.error, work);
  const asked = answer.result === undefined ? undefined : readInputRequired(answer.result);
  if (asked === undefined || answer.result === undefined)
    throw new GatewayError('upstream.protocol', { fault: 'asks for nothing that can be asked' });
  const refused = refuseQuestions([...asked.questions.values()], work);
  if (refused !== undefined) return refused;
  return call.era === 'modern' ? passOn({ ...answer, result: answer.result }, asked, work) : askLegacy(asked, { work, call, round });
}

/** Questions reach a client only as it declared, and send it only where it may be sent. */
function refuseQuestions(questions: readonly Question[], work: CallToServer): BridgedAnswer | undefined {
  const { capabilities } = work.questioning;
  const faults = questions.map((question) => questionFault(question, capabilities));
  if (faults.includes('url')) throw new GatewayError('upstream.protocol', { fault: 'sends to an address that is not https' });
  return faults.includes('capability') ? missingCapability(requiredFor(questions), work) : undefined;
}

function passOn(
  { result, resultJson }: RpcAnswer & { readonly result: JsonObject },
  { questions, state }: InputRequired,
  work: CallToServer,
): BridgedAnswer {
  const { place, questioning, visit } = work;
  const inputRequests = new Map([...questions].map(([key, question]) => [key, shown(question, questioning.serverName)]));
  const requestState =
    state === undefined ? undefined : visit.gateway.requestStates.seal({ kind: 'server', state, keys: [...questions.keys()] }, place);
  const isSame = requestState === undefined && [...questions].every(([key, question]) => inputRequests.get(key) === question);
  const json = isSame
    ? resultJson
    : JSON.stringify({
        ...result,
        ...(questions.size > 0 && { inputRequests: Object.fromEntries(inputRequests) }),
        ...(requestState !== undefined && { requestState }),
      });
  return { message: `{"jsonrpc":"2.0","result":${json},"id":${JSON.stringify(work.call.id)}}`, status: 'success', result: json };
}

async function askLegacy(
  { questions, state }: InputRequired,
  at: { work: CallToServer; call: ClassifiedRequest; round: number },
): Promise<BridgedAnswer | ClassifiedRequest> {
  const { work, call, round } = at;
  const { asker } = work.questioning;
  if (round > ROUNDS_MAX) return inputFailure('The server asked for input too often.', work);
  if (questions.size > 0 && asker === undefined) return missingCapability(requiredFor(questions.values()), work);
  work.cancellation.stopsWith((reason) => asker?.close(reason));
  const answers = await Promise.all(
    [...questions].map(async ([key, question]) => [key, await putQuestion(legacyForm(question), work.questioning)] as const),
  );
  const responses: Record<string, JsonObject> = {};
  for (const [key, answer] of answers) {
    if ('error' in answer) return inputFailure('The client did not give the input that the server asked for.', work);
    responses[key] = answer.result;
  }
  if (questions.size === 0) await pause(STATE_ONLY_PAUSE_MS);
  return withRetryMembers(call, { ...(questions.size > 0 && { inputResponses: responses }), ...(state !== undefined && { requestState: state }) });
}

/** The older era names each address it sends to. */
function legacyForm(question: Question): Question {
  if (questionUrl(question) === undefined || question.params === undefined || Object.hasOwn(question.params, 'elicitationId')) return question;
  return { ...question, params: { ...question.params, elicitationId: randomUUID() } };
}

function bridgeAskingError(error: RpcError, work: CallToServer): BridgedAnswer | undefined {
  const isLegacyServer = eraTowards(work.target.server, work.call.era) === 'legacy';
  if (error.code === MISSING_CAPABILITY) {
    const required = isJsonObject(error.data) ? ownMember(error.data, 'requiredCapabilities') : undefined;
    // Of others it speaks to us, who did not declare them; that is none of the agent's business.
    const concernsAgent = isJsonObject(required) && Object.keys(required).length > 0 && Object.keys(required).every((name) => RELAYED.has(name));
    return concernsAgent && !isLegacyServer ? missingCapability(required, work) : undefined;
  }
  const questions = isLegacyServer ? urlElicitationsOf(error.data) : undefined;
  if (questions === undefined) return undefined;
  const refused = refuseQuestions(questions, work);
  if (work.call.era === 'legacy') return undefined;
  if (refused !== undefined) return refused;
  const { gateway } = work.visit;
  const inputRequests = Object.fromEntries(questions.map((question, at) => [`q${String(at + 1)}`, shown(question, work.questioning.serverName)]));
  const requestState = gateway.requestStates.seal({ kind: 'again', keys: Object.keys(inputRequests) }, work.place);
  const json = JSON.stringify({ resultType: 'input_required', inputRequests, requestState });
  return { message: `{"jsonrpc":"2.0","result":${json},"id":${JSON.stringify(work.call.id)}}`, status: 'success', result: json };
}

/** What the call needs of its client, in the words of the client's own era. */
function missingCapability(requiredCapabilities: JsonObject, work: CallToServer): BridgedAnswer {
  if (work.call.era === 'legacy') return inputFailure(`This needs a client that supports: ${Object.keys(requiredCapabilities).join(', ')}.`, work);
  const error = { code: MISSING_CAPABILITY, message: 'Missing required client capability', data: { requiredCapabilities } };
  return { message: rpcError(work.call.id, error), status: 'upstream_error', result: JSON.stringify(error), httpStatus: 400 };
}

/** A call that failed for want of input: the model is told by a tool's result, other callers by an error. */
function inputFailure(text: string, { call, visit }: CallToServer): BridgedAnswer {
  if (call.method !== 'tools/call') {
    const error = { code: -32603, message: text };
    return { message: rpcError(call.id, error), status: 'upstream_error', result: JSON.stringify(error) };
  }
  const result = toolErrorResult(text, { era: call.era, serverInfo: visit.gateway.serverInfo });
  return { message: `{"jsonrpc":"2.0","result":${result},"id":${JSON.stringify(call.id)}}`, status: 'tool_error', result };
}
