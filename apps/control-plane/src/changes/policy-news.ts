import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/** Tells whoever publishes, in this process, that a revision was committed. A hint: the outbox in Postgres is the truth. */
@Injectable()
export class PolicyNews {
  private readonly emitter = new EventEmitter<{ committed: [number] }>();

  /** Returns how to stop listening. */
  onCommitted(listener: (revision: number) => void): () => void {
    this.emitter.on('committed', listener);
    return () => this.emitter.off('committed', listener);
  }

  committed(revision: number): void {
    this.emitter.emit('committed', revision);
  }
}
