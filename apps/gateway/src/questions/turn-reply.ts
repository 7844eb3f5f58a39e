import type { Reply } from '../reply/reply.js';

/**
 * The reply of a call that takes several requests of its client: each request lends its own until it is answered. In between, messages wait, and
 * whoever writes them is asked to pause.
 */
export class TurnReply implements Reply {
  private current: Reply | undefined;
  private held: string[] = [];
  private readonly gone: (() => void)[] = [];
  private drained: (() => void)[] = [];

  constructor(first: Reply) {
    this.attach(first);
  }

  get isAttached(): boolean {
    return this.current !== undefined;
  }

  attach(reply: Reply): void {
    this.current = reply;
    reply.onGone(() => {
      if (this.current === reply) for (const listener of this.gone) listener();
    });
    const { held, drained } = this;
    this.held = [];
    this.drained = [];
    for (const message of held) reply.notify(message);
    for (const listener of drained) listener();
  }

  /** The reply of the request in progress, which is to be answered now; nothing more of the call goes there. */
  detach(): Reply | undefined {
    const reply = this.current;
    this.current = undefined;
    return reply;
  }

  notify(message: string): boolean {
    if (this.current !== undefined) return this.current.notify(message);
    this.held.push(message);
    return false;
  }

  finish(status: number, message: readonly (string | Buffer)[]): void {
    this.detach()?.finish(status, message);
  }

  finishSilently(): void {
    this.detach()?.finishSilently();
  }

  onGone(listener: () => void): void {
    this.gone.push(listener);
  }

  onceDrained(listener: () => void): void {
    if (this.current === undefined) this.drained.push(listener);
    else this.current.onceDrained(listener);
  }
}
