import { PieceCapture, type Captured } from '@portcullis/audit';
import { GatewayError } from '@portcullis/contracts/errors';
import { AnswerScanner, type Era, type RequestId } from '@portcullis/mcp';
import { giveBack } from '../../reply/give-back.js';
import type { AnswerBody, Reply } from '../../reply/reply.js';
import type { PostRelay } from './answer-bytes.js';
import type { BridgedAnswer } from './bridge-answer.js';

/** Whose answer is passed on, and to whom. */
interface RelayedCall {
  /** Our id at the server. */
  readonly id: string;
  readonly agentId: RequestId;
  /** That of agent and server alike: between eras answers change, and are held. */
  readonly era: Era;
  readonly reply: Reply;
  /** What of the result goes on record. */
  readonly captured: Captured;
  /** The reader has caught up. */
  readonly onDrained: () => void;
}

/**
 * Passes a large answer on as it comes: our own envelope around the bytes of the server's result. What has come last is held back until the answer is
 * whole, is the answer to this very request, and is on record: what the agent has before is cut off where that fails, and cannot be taken for whole.
 */
export class AnswerRelay implements PostRelay {
  private readonly scanner = new AnswerScanner();
  private readonly taken: PieceCapture;
  private body: AnswerBody | undefined;
  private held: Uint8Array = EMPTY;
  private answer: BridgedAnswer | undefined;

  constructor(private readonly call: RelayedCall) {
    this.taken = new PieceCapture(call.captured);
  }

  /** The answer, once it is whole and went this way. */
  get relayed(): BridgedAnswer | undefined {
    return this.answer;
  }

  begin(chunks: readonly Buffer[]): boolean {
    const { scanner, call } = this;
    const pieces = chunks.map((chunk) => scanner.push(chunk));
    if (!scanner.hasBegun || this.fault() !== undefined) return false;
    this.body = call.reply.begin?.();
    if (this.body === undefined) return false;
    this.body.write(Buffer.from('{"jsonrpc":"2.0","result":'));
    for (const piece of pieces) this.pass(piece);
    return true;
  }

  push(chunk: Buffer): boolean {
    const piece = this.scanner.push(chunk);
    const fault = this.fault();
    if (fault !== undefined) throw new GatewayError('upstream.protocol', { fault });
    if (this.pass(piece)) return true;
    this.body?.onceDrained(this.call.onDrained);
    return false;
  }

  end(): void {
    const { scanner, call } = this;
    const isComplete = call.era === 'legacy' || scanner.resultType === 'complete';
    if (!isComplete || !scanner.answers(call.id)) throw new GatewayError('upstream.protocol', { fault: 'no answer to this request' });
    const tail = `,"id":${JSON.stringify(call.agentId)}}`;
    const release = (): void => this.body?.end(Buffer.concat([this.held, Buffer.from(tail)]));
    this.answer = { message: '', status: scanner.isError ? 'tool_error' : 'success', result: this.taken.end(), release };
  }

  /** Why this answer has to be held, or broken off where it is under way. */
  private fault(): string | undefined {
    const { fault, asks, hasOddStructure, resultType } = this.scanner;
    if (fault !== undefined) return fault;
    if (this.call.era === 'legacy') return hasOddStructure ? 'structured content that is no object' : undefined;
    if (asks) return 'asks in the middle of an answer';
    return resultType === undefined || resultType === 'complete' ? undefined : 'resultType';
  }

  /** Lets go what was held back, and holds this back in its place. */
  private pass(piece: Uint8Array): boolean {
    if (piece.length === 0) return true;
    const before = this.held;
    this.held = piece;
    this.taken.push(piece);
    return before.length === 0 || this.body?.write(before, () => giveBack(before)) !== false;
  }
}

const EMPTY = new Uint8Array(0);
