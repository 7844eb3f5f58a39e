import type { AnswerAction } from '@portcullis/contracts/answer-rules';
import { errorTable } from '@portcullis/contracts/errors';
import { parseJson, toolErrorResult, type JsonObject, type RpcError } from '@portcullis/mcp';
import { rpcError } from '../../reply/error-message.js';
import type { VisibleTarget } from '../../view/agent-view.js';
import type { Visit } from '../../visit.js';
import { answerRulesOf, type AnswerRules } from './answer-rules.js';
import { bridgeAnswer, type Bridge, type BridgedAnswer } from './bridge-answer.js';
import type { RpcAnswer } from './read-answer.js';

const SAID: Readonly<Record<AnswerAction, string>> = { log: 'answer_noted', redact: 'answer_redacted', block: 'answer_blocked' };
const STRICTNESS: Readonly<Record<AnswerAction, number>> = { log: 0, redact: 1, block: 2 };

/** What rules make of all that a server says in one call: once one has blocked something of it, nothing more of it passes. */
export class AnswerWatch {
  private strictest: AnswerAction | undefined;
  private readonly kinds = new Set<string>();

  constructor(private readonly rules: AnswerRules) {}

  /** The longest answer that may be read. Rules that only log stop none: what is too long for them passes unseen. */
  bytesMax(ofServer: number): number {
    return this.holds ? Math.min(ofServer, this.rules.bytesMax) : ofServer;
  }

  get holds(): boolean {
    return this.rules.mustHold;
  }

  get hasBlocked(): boolean {
    return this.strictest === 'block';
  }

  /** What the trail says of it: what the strictest rule did, and the kinds of what was found. */
  get note(): string | undefined {
    return this.strictest === undefined ? undefined : `${SAID[this.strictest]}:${[...this.kinds].toSorted().join()}`;
  }

  /** JSON of the server as it may go on; undefined where it may not. */
  look(json: string): string | undefined {
    if (this.hasBlocked) return undefined;
    if (!this.holds && json.length > this.rules.bytesMax) return this.unseen(json);
    const found = this.rules.look(json);
    if (found === undefined) return json;
    if (this.strictest === undefined || STRICTNESS[found.action] > STRICTNESS[this.strictest]) this.strictest = found.action;
    for (const kind of found.kinds) this.kinds.add(kind);
    return found.action === 'block' ? undefined : found.json;
  }

  /** What passed without being looked at, which the trail says. */
  unseen<Passed>(passed: Passed): Passed {
    this.strictest ??= 'log';
    this.kinds.add('unseen');
    return passed;
  }

  /** The answer as it may go on: the very same one, one with markers, or undefined. */
  passed(answer: RpcAnswer): RpcAnswer | undefined {
    const said = textOf(answer);
    const passed = this.look(said);
    if (passed === undefined) return undefined;
    if (passed === said) return answer;
    // A marker stands in the place of texts and members, never of the whole, so that an object stays one.
    const value = parseJson(passed) as JsonObject;
    if (answer.error === undefined) return { ...answer, result: value, resultJson: passed };
    return { ...answer, error: { ...(value as unknown as RpcError), code: answer.error.code } };
  }
}

interface WatchedCall {
  readonly target: VisibleTarget;
  /** The server's own name for what is called. */
  readonly name: string;
  readonly visit: Visit;
}

/** Undefined for most calls, at whose answers nobody looks. */
export function watchFor({ target, name, visit }: WatchedCall): AnswerWatch | undefined {
  const { answerRules } = target.server;
  if (answerRules === undefined) return undefined;
  const rules = answerRulesOf(answerRules, { name, agent: visit.caller.agent.slug });
  return rules === undefined ? undefined : new AnswerWatch(rules);
}

/** Carries an answer to the agent, as far as rules let it pass. */
export function bridgeWatched(answer: RpcAnswer, watch: AnswerWatch | undefined, bridge: Bridge): BridgedAnswer {
  if (watch === undefined) return bridgeAnswer(answer, bridge);
  const passed = watch.passed(answer);
  const reason = watch.note;
  if (passed === undefined) return { ...withheldAnswer(bridge), status: 'denied', reason, said: textOf(answer) };
  const bridged = bridgeAnswer(passed, bridge);
  return passed === answer ? { ...bridged, reason } : { ...bridged, reason, said: textOf(answer) };
}

const textOf = ({ error, resultJson }: RpcAnswer): string => (error === undefined ? resultJson : JSON.stringify(error));

/** The model is told by a tool's result, other callers by an error. */
function withheldAnswer({ id, method, agentEra: era, serverInfo }: Bridge): Pick<BridgedAnswer, 'message' | 'result'> {
  const { jsonRpcCode: code, publicText: text } = errorTable['policy.answer'];
  if (method !== 'tools/call') return { message: rpcError(id, { code, message: text }), result: JSON.stringify({ code, message: text }) };
  const result = toolErrorResult(text, { era, serverInfo });
  return { message: `{"jsonrpc":"2.0","result":${result},"id":${JSON.stringify(id)}}`, result };
}
