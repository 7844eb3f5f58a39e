import type { GatewayError } from '@portcullis/contracts/errors';
import type { JsonObject, Question, RpcError } from '@portcullis/mcp';

/** What came back for a question: a result, or why there is none. */
export type QuestionAnswer = { readonly result: JsonObject } | { readonly error: RpcError };

/** Puts the questions of a server, asked in the middle of a call, to the agent whose call it is. */
export interface AskAgent {
  /** The agent's answer; rejects with what ended the call before there was one. */
  ask(question: Question): Promise<QuestionAnswer>;
  /** Whoever still waits for an answer gets this instead. */
  close(reason: GatewayError): void;
}

/** How long an agent may take to answer. */
export const ANSWER_MS_MAX = 600_000;
