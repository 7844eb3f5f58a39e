import { GatewayError } from '@portcullis/contracts/errors';
import { isJsonObject, isRequestId, ownMember, readQuestion, type JsonObject, type Question, type RequestId } from '@portcullis/mcp';
import { noAnswer, type QuestionAnswer } from '../questions/ask-agent.js';
import type { UpstreamSession } from '../session/upstream-sessions.js';
import { BASE_HEADERS, sessionHeaders } from './legacy-handshake.js';
import { postMessage } from './post-message.js';
import type { UpstreamWay } from './upstream-way.js';

const POST_MS_MAX = 30_000;
const OPEN_MAX = 64;

/** Where the requests of a server come from and what becomes of them. */
interface ServerRequestParts {
  readonly upstream: UpstreamWay;
  readonly session: UpstreamSession;
  /** Puts a question to the agent; a question that is withdrawn needs no answer any more. */
  readonly put: (question: Question, withdrawn: AbortSignal) => Promise<QuestionAnswer>;
  /** Told when a request could not be answered: a server that is never answered waits. */
  readonly onFailure: (error: GatewayError) => void;
}

/** The requests that a legacy server makes of its client on one stream: answered with what the agent says, or that we do not know them. */
export class ServerRequests {
  private readonly open = new Map<RequestId, AbortController>();

  constructor(private readonly parts: ServerRequestParts) {}

  /** Takes a request, or the word that an earlier one is withdrawn, which then is not answered (MCP 2025-11-25 §Cancellation). */
  take(message: JsonObject): void {
    const id = ownMember(message, 'id');
    if (isRequestId(id)) this.answer(id, message);
    else if (ownMember(message, 'method') === 'notifications/cancelled') this.withdraw(ownMember(message, 'params'));
  }

  /** Nobody asks any more: what is open is withdrawn. */
  close(): void {
    for (const withdrawn of this.open.values()) withdrawn.abort();
  }

  private answer(id: RequestId, request: JsonObject): void {
    if (this.open.has(id)) return;
    const withdrawn = new AbortController();
    this.open.set(id, withdrawn);
    this.answerTo(request, withdrawn.signal)
      .then((answer) => (withdrawn.signal.aborted ? undefined : this.post(id, answer)))
      .catch((error: unknown) => {
        this.parts.onFailure(error instanceof GatewayError ? error : new GatewayError('node.internal', {}, { cause: error }));
      })
      .finally(() => this.open.delete(id));
  }

  private async answerTo(request: JsonObject, withdrawn: AbortSignal): Promise<QuestionAnswer> {
    if (ownMember(request, 'method') === 'ping') return { result: {} };
    const question = readQuestion(request);
    if (question === undefined) return { error: { code: -32601, message: 'Method not found' } };
    return this.open.size > OPEN_MAX ? noAnswer('Too many questions are open') : this.parts.put(question, withdrawn);
  }

  private withdraw(params: unknown): void {
    const id = isJsonObject(params) ? ownMember(params, 'requestId') : undefined;
    if (isRequestId(id)) this.open.get(id)?.abort();
  }

  private async post(id: RequestId, answer: QuestionAnswer): Promise<void> {
    const { upstream, session } = this.parts;
    const { status } = await postMessage(upstream.pool, {
      path: upstream.path,
      headers: [...BASE_HEADERS, ...sessionHeaders(session)],
      body: JSON.stringify({ jsonrpc: '2.0', id, ...answer }),
      firstByteTimeoutMs: POST_MS_MAX,
      totalTimeoutMs: POST_MS_MAX,
      resultBytesMax: 64 * 1024,
      isAnswer: () => false,
      onMessage: () => true,
    }).answer;
    if (status < 200 || status >= 300) throw new GatewayError('upstream.protocol', { status, fault: 'refused the answer to its own question' });
  }
}
