import type { Reply } from './reply.js';

/** The place of one request in a batch: only the last message counts, since a batch is answered by one JSON array. */
export class BatchReply implements Reply {
  private settle!: (message: Buffer) => void;
  /** The answer, once it is there. */
  readonly message = new Promise<Buffer>((resolve) => {
    this.settle = resolve;
  });

  constructor(private readonly whole: Pick<Reply, 'onGone'>) {}

  notify(): boolean {
    return true;
  }

  finish(_status: number, message: readonly (string | Buffer)[]): void {
    this.settle(Buffer.concat(message.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))));
  }

  onGone(listener: () => void): void {
    this.whole.onGone(listener);
  }

  onDrain(): void {
    // Nothing is ever held back.
  }
}
