/**
 * A bounded memory of at least `entriesMax` entries and at most twice as many: what was not asked for longest goes first, generation by generation,
 * so that finding an entry of this generation changes nothing.
 */
export class LRUCache<Value> {
  private recent = new Map<string, Value>();
  private earlier = new Map<string, Value>();

  constructor(private readonly entriesMax: number) {}

  get(key: string): Value | undefined {
    const known = this.recent.get(key);
    if (known !== undefined) return known;
    const value = this.earlier.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    if (this.recent.size >= this.entriesMax && !this.recent.has(key)) {
      this.earlier = this.recent;
      this.recent = new Map();
    }
    this.recent.set(key, value);
    // The other generation may hold a value that this one replaces.
    this.earlier.delete(key);
  }

  delete(key: string): void {
    this.recent.delete(key);
    this.earlier.delete(key);
  }

  /** All entries, in no order that says anything. */
  *entries(): Iterable<[string, Value]> {
    yield* this.earlier;
    yield* this.recent;
  }

  clear(): void {
    this.recent.clear();
    this.earlier.clear();
  }
}
