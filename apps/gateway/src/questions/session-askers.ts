import { GatewayError } from '@portcullis/contracts/errors';
import { openText, type Sealer } from '@portcullis/secrets';
import { z } from 'zod';
import type { NodeLinks } from '../nodes/node-links.js';
import type { Session } from '../session/agent-sessions.js';
import type { SessionStore } from '../session/session-store.js';
import type { ChangeStream } from '../streams/change-stream.js';
import { noAnswer, type AskAgent, type QuestionAnswer } from './ask-agent.js';
import { LegacyAsker } from './legacy-asker.js';
import type { Answerer, OpenQuestions } from './open-questions.js';

const Asked = z.object({
  agentId: z.string(),
  session: z.string(),
  /** Without either, whether the session has a stream there. */
  question: z.object({ method: z.string(), params: z.record(z.string(), z.json()).optional() }).optional(),
  message: z.string().optional(),
});
const Answered = z.union([
  z.object({ result: z.record(z.string(), z.json()) }),
  z.object({ error: z.object({ code: z.number(), message: z.string() }) }),
]);

const ROUTE = 'session-stream';

interface SessionAskerParts {
  readonly nodes: NodeLinks;
  readonly sealer: () => Sealer;
  readonly store: SessionStore;
  readonly questions: OpenQuestions;
  /** The session's own stream on this node. */
  readonly streamOf: (sessionName: string, agentId: string) => ChangeStream | undefined;
}

/** Asks legacy clients outside of their calls, on the stream that a session keeps open for it, on whichever node that is. */
export class SessionAskers {
  private readonly byStream = new WeakMap<ChangeStream, LegacyAsker>();

  constructor(private readonly parts: SessionAskerParts) {
    parts.nodes.route(ROUTE, (body, exchange) => {
      const withdrawn = new AbortController();
      exchange.onGone(() => withdrawn.abort());
      return this.serve(Asked.parse(body), withdrawn.signal);
    });
  }

  /** Says that the session's stream is here. A session whose client cannot be asked costs nothing. */
  async announce({ name, agentId, expiresAt, capabilities }: Session): Promise<void> {
    if (Object.keys(capabilities).length === 0) return;
    const { nodes, sealer, store } = this.parts;
    const key = keyOf({ agentId, session: name });
    await store.set(key, sealer().seal(nodes.url, key), Math.max(1, expiresAt - Date.now())).catch(() => undefined);
  }

  /** Who asks this session on its stream; undefined where it has none. */
  async find(answerer: Answerer): Promise<AskAgent | undefined> {
    const own = this.here(answerer);
    if (own !== undefined) return own;
    const { nodes } = this.parts;
    const nodeUrl = await this.placeOf(answerer);
    if (nodeUrl === undefined || nodeUrl === nodes.url) return undefined;
    const isThere = await nodes.send(nodeUrl, ROUTE, answerer).catch(() => false);
    return isThere === true ? this.elsewhere(nodeUrl, answerer) : undefined;
  }

  private here({ agentId, session }: Answerer): LegacyAsker | undefined {
    const stream = this.parts.streamOf(session, agentId);
    if (stream === undefined) return undefined;
    const known = this.byStream.get(stream) ?? new LegacyAsker(this.parts.questions, { agentId, session }, stream);
    this.byStream.set(stream, known);
    return known;
  }

  private elsewhere(nodeUrl: string, answerer: Answerer): AskAgent {
    const { nodes } = this.parts;
    const leaving = new AbortController();
    return {
      ask: async (question, withdrawn) => {
        const signal = withdrawn === undefined ? leaving.signal : AbortSignal.any([leaving.signal, withdrawn]);
        const end = await nodes.send(nodeUrl, ROUTE, { ...answerer, question }, { signal }).catch(() => undefined);
        const { data } = Answered.safeParse(end);
        return (data as QuestionAnswer | undefined) ?? noAnswer('The client has gone');
      },
      tell: (message) => void nodes.send(nodeUrl, ROUTE, { ...answerer, message }).catch(() => undefined),
      close: () => leaving.abort(),
    };
  }

  private async serve({ agentId, session, question, message }: z.infer<typeof Asked>, withdrawn: AbortSignal): Promise<unknown> {
    const asker = this.here({ agentId, session });
    if (message !== undefined) asker?.tell(message);
    if (question === undefined || asker === undefined) return asker !== undefined;
    return asker.ask(question as Parameters<AskAgent['ask']>[0], withdrawn).catch((error: unknown) => {
      if (error instanceof GatewayError) return noAnswer('The client has gone');
      throw error;
    });
  }

  private async placeOf(answerer: Answerer): Promise<string | undefined> {
    const key = keyOf(answerer);
    const sealed = await this.parts.store.get(key).catch(() => null);
    return sealed === null ? undefined : openText(this.parts.sealer(), sealed, key);
  }
}

const keyOf = ({ agentId, session }: Answerer): string => `portcullis:session-stream-place:${agentId}:${session}`;
