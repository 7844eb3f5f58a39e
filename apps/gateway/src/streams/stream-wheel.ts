import type { ChangeStream } from './change-stream.js';

/** How often an idle stream says that it is there. */
const ROUND_MS = 15_000;
/** From one turn to the next. Short, so that no turn has so many streams that calls would feel it. */
export const TURN_MS = 100;
const SLOTS = ROUND_MS / TURN_MS;

/** Keeps idle streams open with one timer for all: at each turn a few of them, spread evenly however they came. */
export class StreamWheel {
  private readonly slots: Set<ChangeStream>[] = Array.from({ length: SLOTS }, () => new Set());
  private readonly slotOf = new Map<ChangeStream, Set<ChangeStream>>();
  private at = 0;
  private fillAt = 0;

  get streams(): Iterable<ChangeStream> {
    return this.slotOf.keys();
  }

  get size(): number {
    return this.slotOf.size;
  }

  add(stream: ChangeStream): void {
    this.fillAt = (this.fillAt + 1) % SLOTS;
    const slot = this.slots[this.fillAt];
    if (slot === undefined) return;
    slot.add(stream);
    this.slotOf.set(stream, slot);
  }

  /** False when it was not there. */
  remove(stream: ChangeStream): boolean {
    this.slotOf.get(stream)?.delete(stream);
    return this.slotOf.delete(stream);
  }

  /** `TURN_MS` have passed. */
  turn(): void {
    this.at = (this.at + 1) % SLOTS;
    for (const stream of this.slots[this.at] ?? []) stream.turn();
  }
}
