/** Lets only so many bytes of something through in a second: who brings more is paused until the next. */
export class Throttle {
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bytesPerSecond: number,
    private readonly source: { readonly pause: () => void; readonly resume: () => void },
  ) {}

  took(bytes: number): void {
    this.bytes += bytes;
    // No timer for who says little: a second begins with its first bytes.
    this.timer ??= setTimeout(() => this.next(), 1000).unref();
    if (this.bytes > this.bytesPerSecond) this.source.pause();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private next(): void {
    this.timer = undefined;
    const wasPaused = this.bytes > this.bytesPerSecond;
    this.bytes = 0;
    if (wasPaused) this.source.resume();
  }
}
