import type { Reply } from '../../reply/reply.js';
import { AnswerMemory, type MemoryClaim } from './answer-memory.js';
import { AnswerTurns, type LargeReader } from './answer-turns.js';

/** What large answers share on a node: its time and its memory. */
export class LargeAnswers {
  constructor(
    readonly turns = new AnswerTurns(),
    readonly memory = new AnswerMemory(),
  ) {}
}

/** The part in them of one call, which costs nothing while its answer is small. */
export class AnswerShare {
  private claim: MemoryClaim | undefined;

  constructor(
    private readonly large: LargeAnswers,
    readonly agentId: string,
    private readonly serverId: string,
  ) {}

  /** Counts what came of the answer; false: read no more before `readOn`. */
  took(reader: LargeReader, bytes: number): boolean {
    return this.large.turns.took(reader, bytes);
  }

  /** Asks for memory to hold the answer in, once for all of the call; false: read no more before `onRoom`. */
  claimRoom(bytes: number, onRoom: () => void): boolean {
    if (this.claim !== undefined) return true;
    this.claim = { agentId: this.agentId, serverId: this.serverId, bytes };
    return this.large.memory.take(this.claim, onRoom);
  }

  /** The call is over; what was held of it stays until its reader has it. */
  end(reply: Reply): void {
    const { claim } = this;
    if (claim === undefined) return;
    this.claim = undefined;
    const release = (): void => this.large.memory.release(claim);
    if (reply.onceSent === undefined) release();
    else reply.onceSent(release);
  }
}
