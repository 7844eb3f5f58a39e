/** Whose answer it is that takes memory, and how much it may come to. */
export interface MemoryClaim {
  readonly agentId: string;
  readonly serverId: string;
  readonly bytes: number;
}

/** How much may be held of answers at once, in bytes. */
interface AnswerMemoryLimits {
  readonly all: number;
  readonly ofAgent: number;
  readonly ofServer: number;
}

const MIB = 1024 * 1024;
const ANSWER_MEMORY: AnswerMemoryLimits = { all: 128 * MIB, ofAgent: 32 * MIB, ofServer: 64 * MIB };

/**
 * The memory of a node for answers that have to be held whole. Each claims all that it may come to before more of it is read, so that none is stopped
 * half way for want of room; without room it waits. Whoever has claimed nothing gets a claim of any size, unless all of it is taken.
 */
export class AnswerMemory {
  private readonly taken = new Map<string, number>();
  private readonly waiting = new Map<MemoryClaim, () => void>();

  constructor(private readonly limits: AnswerMemoryLimits = ANSWER_MEMORY) {}

  /** False where there is no room; `onRoom` is called when there is and the claim is taken. */
  take(claim: MemoryClaim, onRoom: () => void): boolean {
    if (this.fits(claim)) {
      this.add(claim, claim.bytes);
      return true;
    }
    this.waiting.set(claim, onRoom);
    return false;
  }

  /** Ends a claim, taken or waiting; once. */
  release(claim: MemoryClaim): void {
    if (this.waiting.delete(claim)) return;
    this.add(claim, -claim.bytes);
    // In the order in which they came, past those whose agent or server still has too much.
    for (const [next, onRoom] of this.waiting) {
      if (!this.fits(next)) continue;
      this.waiting.delete(next);
      this.add(next, next.bytes);
      onRoom();
    }
  }

  private fits({ agentId, serverId, bytes }: MemoryClaim): boolean {
    const { all, ofAgent, ofServer } = this.limits;
    const has = (owner: string, max: number): boolean => {
      const taken = this.taken.get(owner) ?? 0;
      return taken === 0 || taken + bytes <= max;
    };
    return has(ALL, all) && has(agentKey(agentId), ofAgent) && has(serverKey(serverId), ofServer);
  }

  private add({ agentId, serverId }: MemoryClaim, bytes: number): void {
    for (const owner of [ALL, agentKey(agentId), serverKey(serverId)]) {
      const taken = (this.taken.get(owner) ?? 0) + bytes;
      if (taken > 0) this.taken.set(owner, taken);
      else this.taken.delete(owner);
    }
  }
}

const ALL = '';
const agentKey = (agentId: string): string => `agent ${agentId}`;
const serverKey = (serverId: string): string => `server ${serverId}`;
