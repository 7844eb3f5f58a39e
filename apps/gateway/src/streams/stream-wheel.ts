import type { ChangeStream } from './change-stream.js';

/** How often an idle stream says that it is there, in turns of a second. */
const SLOTS = 15;

/** Keeps idle streams open with one timer for all: each second it is the turn of a fifteenth of them. */
export class StreamWheel {
  private readonly slots: Set<ChangeStream>[] = Array.from({ length: SLOTS }, () => new Set());
  private readonly slotOf = new Map<ChangeStream, Set<ChangeStream>>();
  private at = 0;

  get streams(): Iterable<ChangeStream> {
    return this.slotOf.keys();
  }

  get size(): number {
    return this.slotOf.size;
  }

  add(stream: ChangeStream): void {
    // The slot whose turn has just been: a new stream has just been written to.
    const slot = this.slots[this.at];
    if (slot === undefined) return;
    slot.add(stream);
    this.slotOf.set(stream, slot);
  }

  /** False when it was not there. */
  remove(stream: ChangeStream): boolean {
    this.slotOf.get(stream)?.delete(stream);
    return this.slotOf.delete(stream);
  }

  /** One second has passed. */
  turn(): void {
    this.at = (this.at + 1) % SLOTS;
    for (const stream of this.slots[this.at] ?? []) stream.turn();
  }
}
