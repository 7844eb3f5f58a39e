import type { ServerResponse } from 'node:http';

/** How often a node that still works on its answer says so. */
export const ALIVE_EVERY_MS = 5000;

/**
 * The answer of one node to another: lines of JSON, `{"part":…}` as they come and `{"end":…}` last, empty lines in between as a sign of life.
 * Whoever reads it knows by the end that it is whole.
 */
export class InternalExchange {
  private readonly timer: NodeJS.Timeout;
  private ended = false;

  constructor(private readonly response: ServerResponse) {
    this.timer = setInterval(() => {
      if (!response.writableNeedDrain) this.write('\n');
    }, ALIVE_EVERY_MS).unref();
    response.once('close', () => clearInterval(this.timer));
  }

  /** Something before the end; false when the other node reads slowly. */
  part(value: unknown): boolean {
    return this.write(`${JSON.stringify({ part: value })}\n`);
  }

  end(value: unknown): void {
    if (this.ended) return;
    this.write(`${JSON.stringify({ end: value ?? null })}\n`);
    this.ended = true;
    clearInterval(this.timer);
    this.response.end();
  }

  /** Called once when the other node has gone away before the end. */
  onGone(listener: () => void): void {
    this.response.once('close', () => {
      if (!this.ended) listener();
    });
  }

  /** Calls once when the other node has caught up, or has gone. */
  onceDrained(listener: () => void): void {
    const { response } = this;
    const end = (): void => {
      response.off('drain', end).off('close', end);
      listener();
    };
    response.on('drain', end).on('close', end);
  }

  private write(text: string): boolean {
    if (this.ended || this.response.destroyed) return true;
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    return this.response.write(text);
  }
}
