import { openText, type Sealer } from '@portcullis/secrets';
import { z } from 'zod';
import type { Question } from '@portcullis/mcp';
import type { NodeLinks } from '../nodes/node-links.js';
import { noAnswer, type QuestionAnswer } from '../questions/ask-agent.js';
import { putQuestion, type Questioning } from '../questions/put-question.js';
import type { SessionAskers } from '../questions/session-askers.js';
import type { IndexedSessionStore } from '../session/session-store.js';
import { keyOf, type SessionOwner, type UpstreamSession } from '../session/upstream-sessions.js';
import type { UpstreamWay } from '../upstream/upstream-way.js';
import { QuestionStream } from './question-stream.js';

interface QuestionStreamParts {
  readonly nodes: NodeLinks;
  readonly sealer: () => Sealer;
  readonly store: IndexedSessionStore;
  readonly sessionAskers: SessionAskers;
}

/** A call whose server may ask something outside the call's own answer. */
interface AttendedCall {
  readonly owner: SessionOwner;
  readonly session: UpstreamSession;
  readonly upstream: UpstreamWay;
  readonly questioning: Questioning;
}

const Put = z.object({ key: z.string(), question: z.object({ method: z.string(), params: z.record(z.string(), z.json()).optional() }) });
const ROUTE = 'stream-question';
const OF_ONE_AGENT_MAX = 128;
const ALL_MAX = 4096;
/** How long a call waits for the stream; a server that takes longer to begin one is not waited for again. */
const READY_MS_MAX = 1000;
/** How long a server that offers no stream is not asked for one again. */
const UNSUPPORTED_MS = 600_000;

/**
 * What legacy servers ask outside the answer of a call: the GET streams of their sessions, each on one node, for as long as calls of the session run
 * and a little longer. Only sessions whose client can be asked have one.
 */
export class QuestionStreams {
  private readonly byKey = new Map<string, QuestionStream>();
  private readonly perAgent = new Map<string, number>();
  private readonly without = new WeakMap<UpstreamWay, number>();
  private readonly slow = new WeakSet<UpstreamWay>();

  constructor(private readonly parts: QuestionStreamParts) {
    parts.nodes.route(ROUTE, (body, exchange) => {
      const { key, question } = Put.parse(body);
      const withdrawn = new AbortController();
      exchange.onGone(() => withdrawn.abort());
      const call = this.byKey.get(key)?.newestCall;
      return call === undefined ? null : putQuestion(question as Question, call, withdrawn.signal).catch(() => noAnswer('The call has ended'));
    });
  }

  /** Streams that this node has a part in. */
  get size(): number {
    return this.byKey.size;
  }

  /** Hears what the server asks until the returned function is called; undefined where there is nothing to hear. */
  async attend(call: AttendedCall): Promise<(() => void) | undefined> {
    const { owner, session, upstream, questioning } = call;
    if (questioning.asker === undefined || session.id === undefined || upstream.address.transport === 'sse') return undefined;
    if ((this.without.get(upstream) ?? 0) > performance.now()) return undefined;
    const key = `${keyOf(owner)} ${session.id}`;
    const stream = this.byKey.get(key) ?? this.open(key, call);
    if (stream === undefined) return undefined;
    const leave = stream.enter(questioning);
    if (!stream.isReady && !this.slow.has(upstream) && !(await stream.readyWithin(READY_MS_MAX))) this.slow.add(upstream);
    return leave;
  }

  close(): void {
    for (const stream of this.byKey.values()) stream.close();
  }

  private open(key: string, { owner, session, upstream }: AttendedCall): QuestionStream | undefined {
    const { agentId } = owner;
    const count = this.perAgent.get(agentId) ?? 0;
    if (count >= OF_ONE_AGENT_MAX || this.byKey.size >= ALL_MAX) return undefined;
    const { store, sealer, nodes } = this.parts;
    const stream = new QuestionStream({
      key,
      session,
      upstream,
      store,
      place: sealer().seal(nodes.url, key),
      put: (question, withdrawn) => this.put(question, withdrawn, { stream, key, owner }),
      tell: (message) => void this.tell(message, { stream, owner }).catch(() => undefined),
      onUnsupported: () => this.without.set(upstream, performance.now() + UNSUPPORTED_MS),
      onClosed: () => {
        if (!this.byKey.delete(key)) return;
        const left = (this.perAgent.get(agentId) ?? 1) - 1;
        if (left > 0) this.perAgent.set(agentId, left);
        else this.perAgent.delete(agentId);
      },
    });
    this.byKey.set(key, stream);
    this.perAgent.set(agentId, count + 1);
    return stream;
  }

  /** On the client's own stream, else in the newest call of the session, on whichever node. */
  private async put(
    question: Question,
    withdrawn: AbortSignal,
    { stream, key, owner }: { stream: QuestionStream; key: string; owner: SessionOwner },
  ): Promise<QuestionAnswer> {
    const asker = await this.ofSession(owner);
    const call = stream.newestCall;
    try {
      if (asker !== undefined) return await putQuestion(question, { ...(call ?? stream.lastCall), asker }, withdrawn);
      if (call !== undefined) return await putQuestion(question, call, withdrawn);
    } catch {
      return noAnswer('The call has ended');
    }
    for (const nodeUrl of await this.others(stream, key)) {
      const answer = await this.parts.nodes.send(nodeUrl, ROUTE, { key, question }, { signal: withdrawn }).catch(() => null);
      if (answer !== null) return answer as QuestionAnswer;
    }
    return noAnswer('There is nobody to ask');
  }

  private async tell(message: string, { stream, owner }: { stream: QuestionStream; owner: SessionOwner }): Promise<void> {
    const asker = (await this.ofSession(owner)) ?? stream.newestCall?.asker;
    asker?.tell(message);
  }

  private async ofSession({ agentId, session }: SessionOwner): Promise<Awaited<ReturnType<SessionAskers['find']>>> {
    return session === null ? undefined : this.parts.sessionAskers.find({ agentId, session });
  }

  private async others(stream: QuestionStream, key: string): Promise<string[]> {
    const { sealer, nodes } = this.parts;
    const places = await stream.places();
    return places.flatMap((sealed) => openText(sealer(), sealed, key) ?? []).filter((url) => url !== nodes.url);
  }
}
