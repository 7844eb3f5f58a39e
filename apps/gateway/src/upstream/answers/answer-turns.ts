/** Whoever reads a large answer. */
export interface LargeReader {
  readonly agentId: string;
  /** What it may still read in its turn, in bytes; kept by `AnswerTurns`. */
  allowance: number;
  /** It is its turn again. */
  readOn(): void;
}

/** What all large answers of a node together may bring in before everything else has its turn: about a millisecond's work. */
export const TURN_BYTES = 256 * 1024;
const READERS_OF_A_TURN = 4;

/**
 * Lets large answers be read in turns, so that small calls beside them wait for a turn and not for an answer. Those that wait are taken agent by
 * agent: one who reads many has no more of the node than one who reads one.
 */
export class AnswerTurns {
  private isUnderWay = false;
  /** By agent; whose turn is next stands first. */
  private readonly waiting = new Map<string, LargeReader[]>();

  constructor(private readonly afterOthers: (next: () => void) => void = setImmediate) {}

  /** Counts what a reader got. False: it must stop, and is told when to read on. */
  took(reader: LargeReader, bytes: number): boolean {
    reader.allowance -= bytes;
    if (reader.allowance > 0) return true;
    const own = this.waiting.get(reader.agentId);
    if (own === undefined) this.waiting.set(reader.agentId, [reader]);
    else own.push(reader);
    this.begin();
    return false;
  }

  private begin(): void {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    this.afterOthers(() => this.next());
  }

  private next(): void {
    this.isUnderWay = false;
    const chosen: LargeReader[] = [];
    for (const [agentId, readers] of [...this.waiting].slice(0, READERS_OF_A_TURN)) {
      chosen.push(...readers.splice(0, 1));
      this.waiting.delete(agentId);
      if (readers.length > 0) this.waiting.set(agentId, readers);
    }
    if (this.waiting.size > 0) this.begin();
    for (const reader of chosen) {
      reader.allowance = TURN_BYTES / chosen.length;
      reader.readOn();
    }
  }
}
