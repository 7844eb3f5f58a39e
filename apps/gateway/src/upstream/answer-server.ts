import { GatewayError } from '@portcullis/contracts/errors';
import { isRequestId, ownMember, readQuestion, type JsonObject, type RequestId } from '@portcullis/mcp';
import type { QuestionAnswer } from '../questions/ask-agent.js';
import { putQuestion, type Questioning } from '../questions/put-question.js';
import type { UpstreamSession } from '../session/upstream-sessions.js';
import { BASE_HEADERS, sessionHeaders } from './legacy-handshake.js';
import { postMessage, type PostInFlight } from './post-message.js';
import type { Upstream } from './upstreams.js';

const POST_MS_MAX = 30_000;

/** Answers a request that a legacy server makes on the stream of a call: with what the agent says, or that we do not know it. */
export function answerServer(
  request: JsonObject,
  { upstream, session, questioning }: { upstream: Upstream; session: UpstreamSession; questioning: Questioning },
  inFlight: PostInFlight,
): void {
  const id = ownMember(request, 'id');
  if (!isRequestId(id)) return;
  answerTo(request, questioning)
    .then((answer) => postAnswer(id, answer, { upstream, session }))
    .catch((error: unknown) => {
      // A server that is never answered waits, and its call with it.
      inFlight.abort(error instanceof GatewayError ? error : new GatewayError('node.internal', {}, { cause: error }));
    });
}

async function answerTo(request: JsonObject, questioning: Questioning): Promise<QuestionAnswer> {
  if (ownMember(request, 'method') === 'ping') return { result: {} };
  const question = readQuestion(request);
  return question === undefined ? { error: { code: -32601, message: 'Method not found' } } : putQuestion(question, questioning);
}

async function postAnswer(
  id: RequestId,
  answer: QuestionAnswer,
  { upstream, session }: { upstream: Upstream; session: UpstreamSession },
): Promise<void> {
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
