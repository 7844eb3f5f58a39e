import type { GatewayError } from '@portcullis/contracts/errors';
import type { JsonObject, Question, RpcError } from '@portcullis/mcp';

/** What came back for a question: a result, or why there is none. */
export type QuestionAnswer = { readonly result: JsonObject } | { readonly error: RpcError };

/** Puts the questions of a server to the agent whose call, or whose session, they belong to. */
export interface AskAgent {
  /** The agent's answer; rejects with what ended the call before there was one. A question that is `withdrawn` needs none any more. */
  ask(question: Question, withdrawn?: AbortSignal): Promise<QuestionAnswer>;
  /** Tells the agent something that has no answer; nothing happens where it cannot be told. */
  tell(message: string): void;
  /** Whoever still waits for an answer gets this instead. */
  close(reason: GatewayError): void;
}

/** How long an agent may take to answer. */
export const ANSWER_MS_MAX = 600_000;

/** The answer to a server whose question nobody answers. */
export const noAnswer = (message: string): QuestionAnswer => ({ error: { code: -32603, message } });
