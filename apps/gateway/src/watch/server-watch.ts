import { setTimeout as pause } from 'node:timers/promises';
import { UnsupportedSource, type ChangeSource, type OpenSource } from './change-source.js';

interface ServerWatchParts {
  readonly source: ChangeSource;
  /** Lets few servers at a time be connected to. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Told when the server can be heard again: what it said meanwhile is lost. */
  readonly onReopened: () => void;
  readonly onClosed: () => void;
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 60_000;
const UNSUPPORTED_MS = 600_000;
/** A stream that lasted so long counts as a success. */
const STEADY_MS = 10_000;
const ADAPT_MS = 50;

/** Listens to one server for as long as it is wanted: opens again, ever more slowly, what ends or cannot be opened. */
export class ServerWatch {
  private uris: ReadonlySet<string> = new Set();
  private adapted = Promise.withResolvers<void>();
  private readonly stopping = new AbortController();

  constructor(private readonly parts: ServerWatchParts) {
    void this.run();
  }

  /** Which resources are wanted; several changes in a row are one for the server. */
  want(uris: ReadonlySet<string>): void {
    this.uris = uris;
    this.adapted.resolve();
  }

  close(): void {
    this.stopping.abort();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const stopped = new Promise<'stopped'>((resolve) => {
      signal.addEventListener('abort', () => resolve('stopped'), { once: true });
    });
    let failures = 0;
    let wasAway = false;
    while (!signal.aborted) {
      const since = performance.now();
      let waitMs: number | undefined;
      try {
        const open = await this.parts.inTurn(() => this.open());
        if (wasAway) this.parts.onReopened();
        wasAway = false;
        await this.listen(open, stopped);
        wasAway = true; // until it is open again, the server talks to nobody
        if (performance.now() - since > STEADY_MS) failures = 0;
      } catch (error) {
        wasAway = true;
        if (error instanceof UnsupportedSource) waitMs = UNSUPPORTED_MS;
      }
      failures += 1;
      waitMs ??= Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures - 1, 10)) * (0.5 + Math.random() / 2);
      await pause(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    this.parts.source.close();
    this.parts.onClosed();
  }

  private open(): Promise<OpenSource> {
    this.adapted = Promise.withResolvers();
    return this.parts.source.open(this.uris);
  }

  /** Until the server stops telling, or nobody wants to hear it. */
  private async listen(first: OpenSource, stopped: Promise<'stopped'>): Promise<void> {
    let open = first;
    try {
      for (;;) {
        const adapt = this.adapted.promise.then(() => 'adapt' as const);
        if ((await Promise.race([adapt, open.ended, stopped])) !== 'adapt') return;
        await pause(ADAPT_MS, undefined, { ref: false });
        this.adapted = Promise.withResolvers();
        if (open.adapt !== undefined) await open.adapt(this.uris);
        else {
          // The new one is heard before the old one falls silent, so nothing is missed between them.
          const next = await this.parts.source.open(this.uris);
          open.close();
          open = next;
        }
      }
    } finally {
      open.close();
    }
  }
}
