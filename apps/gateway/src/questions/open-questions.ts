import { randomBytes } from 'node:crypto';
import { isJsonObject, ownMember, type JsonObject, type RequestId, type RpcError } from '@portcullis/mcp';
import { openText, type Sealer } from '@portcullis/secrets';
import type { QuestionAnswer } from './ask-agent.js';

/** Who may answer a question: the legacy session whose call it belongs to. */
export interface Answerer {
  readonly agentId: string;
  readonly session: string;
}

/** Which question an id names, and the node that asked it. */
interface QuestionPlace {
  readonly node: string;
  readonly name: string;
}

interface OpenQuestion {
  readonly answerer: Answerer;
  readonly settle: (answer: QuestionAnswer) => void;
}

/** The questions this node has put to legacy clients. Their ids are sealed and say which node waits, so the answer may come to any. */
export class OpenQuestions {
  private readonly open = new Map<string, OpenQuestion>();

  constructor(private readonly parts: { readonly sealer: () => Sealer; readonly nodeUrl: string }) {}

  /** Waits for one answer; the id is what the client will name it by. */
  expect(answerer: Answerer, settle: (answer: QuestionAnswer) => void): { readonly id: string; readonly forget: () => void } {
    const name = randomBytes(12).toString('base64url');
    this.open.set(name, { answerer, settle });
    const id = this.parts.sealer().seal(JSON.stringify([this.parts.nodeUrl, name]), aadOf(answerer));
    return { id, forget: () => void this.open.delete(name) };
  }

  /** The question an answer is for; undefined for an id that was never put to this session. */
  placeOf(id: RequestId, answerer: Answerer): QuestionPlace | undefined {
    if (typeof id !== 'string') return undefined;
    const text = openText(this.parts.sealer(), id, aadOf(answerer));
    const content: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!Array.isArray(content)) return undefined;
    const [node, name]: unknown[] = content;
    return typeof node === 'string' && typeof name === 'string' ? { node, name } : undefined;
  }

  /** Takes an answer, once; false where this node waits for none from this session. */
  take(name: string, answerer: Answerer, message: JsonObject): boolean {
    const question = this.open.get(name);
    if (question?.answerer.agentId !== answerer.agentId || question.answerer.session !== answerer.session) return false;
    this.open.delete(name);
    question.settle(readAnswer(message));
    return true;
  }
}

/** The shape was checked when the message was read. */
function readAnswer(message: JsonObject): QuestionAnswer {
  const result = ownMember(message, 'result');
  if (isJsonObject(result)) return { result };
  const error = ownMember(message, 'error');
  const { code, message: text }: Record<string, unknown> = isJsonObject(error) ? { ...error } : {};
  const fallback: RpcError = { code: -32603, message: 'The client refused' };
  return { error: typeof code === 'number' && typeof text === 'string' ? { code, message: text } : fallback };
}

const aadOf = ({ agentId, session }: Answerer): string => `question|1|${agentId}|${session}`;
