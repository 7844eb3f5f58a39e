import type { AuditStatus } from '@portcullis/contracts/audit';
import { GatewayError } from '@portcullis/contracts/errors';
import { canBeAsked, capabilitiesFor, noteOf, ownMember, questionUrl, type JsonObject, type Question, type QuestionNote } from '@portcullis/mcp';
import type { AskAgent, QuestionAnswer } from './ask-agent.js';

/** The audit trail of a call, which has a row for each question of its server. */
interface QuestionTrail {
  forQuestion(method: string): {
    arguments(json: string): void;
    end(ending: { readonly status: AuditStatus; readonly reason?: string; readonly result?: string }): Promise<void>;
  };
}

/** What a server's questions meet on their way: what the client said it can be asked, and who asks it. */
export interface Questioning {
  /** What the client declared, as `askableCapabilities` has it. */
  readonly capabilities: JsonObject;
  /** Undefined where no question can be carried to the client. */
  readonly asker: AskAgent | undefined;
  readonly record: QuestionTrail;
  /** Said to whoever is sent to an address, where the client sees many servers as one. */
  readonly serverName: string | null;
}

/** Why a question may not be asked; undefined where it may. */
export function questionFault(question: Question, capabilities: JsonObject): 'capability' | 'url' | undefined {
  if (!canBeAsked(capabilities, question)) return 'capability';
  const url = questionUrl(question);
  return url === undefined || isFitUrl(url) ? undefined : 'url';
}

/** A reader is sent to `https` addresses only, and to none that pretends to be another by a name before the host. */
function isFitUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' && url.username === '' && url.password === '';
}

/**
 * Puts one question and leaves its trace, answered or not: who asked what in which call, and what came back. Its server may have withdrawn it before
 * there is an answer.
 */
export async function putQuestion(question: Question, questioning: Questioning, withdrawn?: AbortSignal): Promise<QuestionAnswer> {
  const { asker, capabilities, record } = questioning;
  const trace = record.forQuestion(question.method);
  trace.arguments(JSON.stringify(question.params ?? {}));
  const fault = asker === undefined ? 'capability' : questionFault(question, capabilities);
  if (asker === undefined || fault !== undefined) {
    await trace.end({ status: 'denied', reason: fault === 'url' ? 'question.url' : 'question.capability' });
    return { error: fault === 'url' ? URL_REFUSED : NOT_ASKED };
  }
  let answer: QuestionAnswer;
  try {
    answer = await asker.ask(shown(question, questioning.serverName), withdrawn);
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : 'node.internal';
    await trace.end({ status: code === 'client.cancelled' ? 'cancelled' : 'error', reason: code });
    throw error;
  }
  if (withdrawn?.aborted === true) await trace.end({ status: 'cancelled', reason: 'question.withdrawn' });
  else if ('result' in answer) await trace.end({ status: 'success', ...noted(question), result: JSON.stringify(answer.result) });
  else await trace.end({ status: 'error', result: JSON.stringify(answer.error) });
  return answer;
}

const NOT_ASKED = { code: -32601, message: 'Method not found' };
const URL_REFUSED = { code: -32602, message: 'An elicitation may only send to https addresses' };

const noted = (question: Question): { readonly reason?: string } => {
  const note = noteOf(question);
  return note === undefined ? {} : { reason: `question.${note}` };
};

const WARNINGS: Readonly<Record<QuestionNote, string>> = {
  asks_secret: '[This form seems to ask for a password, key or other secret. A server may not ask for one in a form.] ',
  odd_address: '[The name of the site has letters that may be mistaken for others.] ',
};

/** A question as the client gets it: one that sends somewhere says for which server, and what deserves a note has one. */
export function shown(question: Question, serverName: string | null): Question {
  const note = noteOf(question);
  const server = serverName === null || questionUrl(question) === undefined ? '' : `${serverName}: `;
  const said = `${note === undefined ? '' : WARNINGS[note]}${server}`;
  if (said === '') return question;
  const message = question.params === undefined ? undefined : ownMember(question.params, 'message');
  return { ...question, params: { ...question.params, message: `${said}${typeof message === 'string' ? message : ''}` } };
}

/** What the client would have to declare for all of these questions. */
export function requiredFor(questions: Iterable<Question>): JsonObject {
  const required: Record<string, object> = {};
  for (const question of questions)
    for (const [name, needed] of Object.entries(capabilitiesFor(question))) required[name] = { ...required[name], ...(needed as object) };
  return required as JsonObject;
}
