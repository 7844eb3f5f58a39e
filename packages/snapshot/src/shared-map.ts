/** Few enough to be copied at each change, many enough for each to be small. */
const PARTS = 512;

type Parts<Value> = readonly (ReadonlyMap<string, Value> | undefined)[];

/** Any spread will do: keys come from a publisher that is trusted. */
function partOf(key: string): number {
  let hash = 0;
  for (let at = 0; at < key.length; at += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 15)) & (PARTS - 1);
}

/**
 * A map that never changes and shares with the ones made from it what they have in common: a change costs one part in 512, not a copy of everything.
 * In no particular order, but for equal contents always in the same where no key was taken out and put in again.
 */
export class SharedMap<Value> implements ReadonlyMap<string, Value> {
  constructor(
    private readonly parts: Parts<Value> = [],
    readonly size = 0,
  ) {}

  get(key: string): Value | undefined {
    return this.parts[partOf(key)]?.get(key);
  }

  has(key: string): boolean {
    return this.parts[partOf(key)]?.has(key) === true;
  }

  /** A copy to be changed; this map stays as it is. */
  edit(): SharedMapEdit<Value> {
    return new SharedMapEdit(this, this.parts);
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  *entries(): Generator<[string, Value], undefined> {
    for (const part of this.parts) if (part !== undefined) yield* part;
  }

  *keys(): Generator<string, undefined> {
    for (const part of this.parts) if (part !== undefined) yield* part.keys();
  }

  *values(): Generator<Value, undefined> {
    for (const part of this.parts) if (part !== undefined) yield* part.values();
  }

  [Symbol.iterator](): Generator<[string, Value], undefined> {
    return this.entries();
  }
}

/** A map in the making. */
export class SharedMapEdit<Value> {
  private readonly parts: (ReadonlyMap<string, Value> | undefined)[];
  private readonly own = new Map<number, Map<string, Value>>();
  private size: number;

  constructor(
    private readonly from: SharedMap<Value>,
    parts: Parts<Value>,
  ) {
    this.parts = parts.length === 0 ? Array.from({ length: PARTS }, () => undefined) : [...parts];
    this.size = from.size;
  }

  has(key: string): boolean {
    return this.parts[partOf(key)]?.has(key) === true;
  }

  get(key: string): Value | undefined {
    return this.parts[partOf(key)]?.get(key);
  }

  set(key: string, value: Value): void {
    const part = this.open(partOf(key));
    const before = part.size;
    part.set(key, value);
    this.size += part.size - before;
  }

  delete(key: string): void {
    if (this.has(key) && this.open(partOf(key)).delete(key)) this.size -= 1;
  }

  /** The map as it is now; the very one this began with where nothing was changed. To be called once, at the end. */
  done(): SharedMap<Value> {
    return this.own.size === 0 ? this.from : new SharedMap(this.parts, this.size);
  }

  private open(at: number): Map<string, Value> {
    let part = this.own.get(at);
    if (part === undefined) {
      part = new Map(this.parts[at]);
      this.own.set(at, part);
      this.parts[at] = part;
    }
    return part;
  }
}
