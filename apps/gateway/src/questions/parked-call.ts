import { GatewayError } from '@portcullis/contracts/errors';
import {
  isJsonObject,
  META_SERVER_INFO,
  QUESTIONS_MAX,
  resultMessage,
  type ClassifiedRequest,
  type JsonObject,
  type Question,
} from '@portcullis/mcp';
import type { Cancellation } from '../cancel/cancellation.js';
import type { Reply } from '../reply/reply.js';
import type { Visit } from '../visit.js';
import { ANSWER_MS_MAX, noAnswer, type AskAgent, type QuestionAnswer } from './ask-agent.js';
import type { Held, ParkedCalls, Turn } from './parked-calls.js';
import type { StatePlace } from './request-states.js';
import { TurnReply } from './turn-reply.js';

interface Pending {
  readonly question: Question;
  readonly settle: (answer: QuestionAnswer) => void;
  readonly reject: (reason: GatewayError) => void;
}

/**
 * A modern client's call to a server that asks in the middle of it. The call to the server stays open here while the client is told
 * `input_required`; the client's next request brings the answers and takes over where the last one left off.
 */
export class ParkedCall implements AskAgent, Held {
  /** The call as its newest request has it: its id and progress token are those to answer under. */
  readonly call: { -readonly [Member in keyof ClassifiedRequest]: ClassifiedRequest[Member] };
  readonly reply: TurnReply;
  readonly agentId: string;
  private readonly pending = new Map<string, Pending>();
  private questions = 0;
  private round = 0;
  private name: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Set when the server has answered, so that there is nothing to ask any more. */
  private isOver = false;
  private isClosed = false;
  private onAttended: (() => void) | undefined;

  constructor(
    private readonly calls: ParkedCalls,
    private readonly visit: Visit,
    private readonly parts: {
      readonly call: ClassifiedRequest;
      readonly reply: Reply;
      readonly cancellation: Cancellation;
      readonly place: StatePlace;
    },
  ) {
    this.call = { ...parts.call };
    this.reply = new TurnReply(parts.reply);
    this.agentId = visit.caller.agent.id;
  }

  ask(question: Question, withdrawn?: AbortSignal): Promise<QuestionAnswer> {
    if (this.pending.size >= QUESTIONS_MAX) return Promise.resolve(noAnswer('Too many questions are open'));
    return new Promise((settle, reject) => {
      this.questions += 1;
      this.pending.set(`q${String(this.questions)}`, { question, settle, reject });
      // The client may have been told by now, and must find what it answers: only the server goes on.
      withdrawn?.addEventListener('abort', () => settle(noAnswer('The question was withdrawn')), { once: true });
      this.parkSoon();
    });
  }

  tell(): void {
    // The newer era has no messages that concern no request.
  }

  /** Goes on for another request of the client; false, and nothing happens, where it does not answer what was asked last. */
  resume({ reply, id, progressToken, round, responses = {} }: Turn): boolean {
    if (this.isClosed || this.reply.isAttached || round !== this.round) return false;
    const answers = Object.entries(responses);
    if (!answers.every(([key, answer]) => this.pending.has(key) && isJsonObject(answer))) return false;
    clearTimeout(this.timer);
    this.round += 1; // what was asked is answered, and cannot be answered again
    Object.assign(this.call, { id, progressToken });
    this.reply.attach(reply);
    for (const [key, answer] of answers) {
      this.pending.get(key)?.settle({ result: answer as JsonObject });
      this.pending.delete(key);
    }
    this.onAttended?.();
    this.parkSoon();
    return true;
  }

  /** The server is done: resolves when a request of the client is there to be answered. */
  async attended(): Promise<void> {
    this.isOver = true;
    if (this.reply.isAttached) return;
    await new Promise<void>((resolve, reject) => {
      this.onAttended = resolve;
      this.parts.cancellation.stopsWith(reject);
    });
  }

  close(reason: GatewayError): void {
    clearTimeout(this.timer);
    this.isOver = true;
    if (this.name !== undefined) this.calls.remove(this.name, this);
    for (const { reject } of this.pending.values()) reject(reason);
    this.pending.clear();
    this.name = undefined;
    this.isClosed = true;
  }

  /** Questions that come together are asked together. */
  private parkSoon(): void {
    if (this.pending.size > 0 && this.reply.isAttached) setImmediate(() => this.park());
  }

  private park(): void {
    if (this.isOver || this.pending.size === 0 || !this.reply.isAttached) return;
    this.name ??= this.calls.add(this);
    if (this.name === undefined) {
      for (const { reject } of this.pending.values()) reject(new GatewayError('limit.parked_calls'));
      return;
    }
    this.round += 1;
    const { gateway } = this.visit;
    const content = { kind: 'parked', node: gateway.nodes.url, name: this.name, round: this.round } as const;
    const result = {
      resultType: 'input_required',
      inputRequests: Object.fromEntries([...this.pending].map(([key, { question }]) => [key, question])),
      requestState: gateway.requestStates.seal(content, this.parts.place),
      _meta: { [META_SERVER_INFO]: gateway.serverInfo },
    };
    this.timer = setTimeout(() => this.parts.cancellation.cancel(), ANSWER_MS_MAX).unref();
    this.reply.detach()?.finish(200, [resultMessage(this.call.id, JSON.stringify(result))]);
  }

  /** Ends the call as if its client had gone: nobody came back in time, or this node stops. */
  giveUp(): void {
    this.parts.cancellation.cancel();
  }
}
