import type { Readable } from 'node:stream';
import type { ProblemError } from './problem.js';

/** Bounds how much of something runs at once in this process: whoever comes while all places are taken is refused. */
export class PlacesAtOnce {
  private taken = 0;

  constructor(
    private readonly max: number,
    private readonly refusal: () => ProblemError,
  ) {}

  /** A place until the returned function is called. Taken before anything is waited for, so that those who come together are counted too. */
  take(): () => void {
    if (this.taken >= this.max) throw this.refusal();
    this.taken += 1;
    let isLeft = false;
    return () => {
      if (!isLeft) this.taken -= 1;
      isLeft = true;
    };
  }

  /** A place for as long as the work takes. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.take();
    return work().finally(leave);
  }

  /** A place until the stream is closed, or turns out not to be had. */
  async whileOpen(open: () => Promise<Readable>): Promise<Readable> {
    const leave = this.take();
    try {
      return (await open()).once('close', leave);
    } catch (error) {
      leave();
      throw error;
    }
  }
}
