import type { GatewayError } from '@portcullis/contracts/errors';
import { notificationMessage, requestMessage, type Question } from '@portcullis/mcp';
import type { Reply } from '../reply/reply.js';
import { ANSWER_MS_MAX, noAnswer, type AskAgent, type QuestionAnswer } from './ask-agent.js';
import type { Answerer, OpenQuestions } from './open-questions.js';

interface Waiting {
  readonly settle: (answer: QuestionAnswer) => void;
  readonly reject: (reason: GatewayError) => void;
}

const OPEN_MAX = 16;

/**
 * Asks a legacy client by requests on a stream of its own, that of its call or that of its session; it answers by a message of its own, to whatever
 * node.
 */
export class LegacyAsker implements AskAgent {
  private readonly waiting = new Set<Waiting>();
  private isGone = false;
  private hears = false;

  constructor(
    private readonly questions: OpenQuestions,
    private readonly answerer: Answerer,
    private readonly stream: Pick<Reply, 'notify' | 'onGone'>,
  ) {}

  ask({ method, params }: Question, withdrawn?: AbortSignal): Promise<QuestionAnswer> {
    this.hearWhenGone();
    if (this.isGone) return Promise.resolve(noAnswer('The client has gone'));
    if (this.waiting.size >= OPEN_MAX) return Promise.resolve(noAnswer('Too many questions are open'));
    return new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        withdrawn?.removeEventListener('abort', withdraw);
        forget();
        finish();
      };
      const settle = (answer: QuestionAnswer): void => end(() => resolve(answer));
      const waiting: Waiting = { settle, reject: (reason) => end(() => reject(reason)) };
      const { id, forget } = this.questions.expect(this.answerer, settle);
      const withdraw = (): void => {
        this.stream.notify(notificationMessage('notifications/cancelled', { requestId: id }));
        settle(noAnswer('The question was withdrawn'));
      };
      const timer = setTimeout(() => settle(noAnswer('The client did not answer in time')), ANSWER_MS_MAX).unref();
      this.waiting.add(waiting);
      withdrawn?.addEventListener('abort', withdraw, { once: true });
      this.stream.notify(requestMessage(id, method, params));
    });
  }

  tell(message: string): void {
    this.stream.notify(message);
  }

  close(reason: GatewayError): void {
    for (const { reject } of this.waiting) reject(reason);
  }

  /** Nobody could be told the result any more: the server need not wait for the answer. */
  private hearWhenGone(): void {
    if (this.hears) return;
    this.hears = true;
    this.stream.onGone(() => {
      this.isGone = true;
      for (const { settle } of this.waiting) settle(noAnswer('The client has gone'));
    });
  }
}
