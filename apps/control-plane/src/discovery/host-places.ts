/** How many runs go to one host at once, in this process. A host of thousands of servers, or a slow one, must not take all places. */
export class HostPlaces {
  private readonly taken = new Map<string, number>();

  constructor(private readonly perHost: number) {}

  /** Takes a place and gives how to leave it, once however often it is called; undefined when there is none. */
  take(host: string): (() => void) | undefined {
    const count = this.taken.get(host) ?? 0;
    if (count >= this.perHost) return undefined;
    this.taken.set(host, count + 1);
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      const left = (this.taken.get(host) ?? 1) - 1;
      if (left > 0) this.taken.set(host, left);
      else this.taken.delete(host);
    };
  }
}
