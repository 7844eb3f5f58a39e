import type { Reply } from './reply.js';

/** The place of one request in a batch: only the last message counts, since a batch is answered by one JSON array. */
export class BatchReply implements Reply {
  private settle!: (message: Buffer | undefined) => void;
  /** The answer, once it is there; undefined where there will be none. */
  readonly message = new Promise<Buffer | undefined>((resolve) => {
    this.settle = resolve;
  });

  constructor(private readonly whole: Pick<Reply, 'onGone'>) {}

  notify(): boolean {
    return true;
  }

  finish(_status: number, message: readonly (string | Buffer)[]): void {
    this.settle(Buffer.concat(message.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))));
  }

  finishSilently(): void {
    this.settle(undefined);
  }

  onGone(listener: () => void): void {
    this.whole.onGone(listener);
  }

  onceDrained(): void {
    // Nothing is ever held back.
  }
}
