import { GatewayError } from '@portcullis/contracts/errors';
import { giveBack } from '../../reply/give-back.js';
import type { BridgedAnswer } from './bridge-answer.js';

/** Takes an answer piece by piece. What it throws breaks the exchange off. */
export interface PostRelay {
  /** Offered what has come so far. True: from here on it gets the pieces, and nobody else does. */
  begin(chunks: readonly Buffer[]): boolean;
  /** False asks for a pause until the exchange is resumed. */
  push(chunk: Buffer): boolean;
  /** It is whole. */
  end(): void;
  /** The answer, once it is whole and went this way. */
  readonly relayed: BridgedAnswer | undefined;
}

/** An answer that is larger is passed on while it comes, where that can be. */
const HELD_BYTES_MAX = 64 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body of an answer that is no stream: held until it is whole, or handed on to a relay. */
export class AnswerBytes {
  private chunks: Buffer[] = [];
  private bytes = 0;
  private relay: PostRelay | undefined;

  /** `openRelay` is asked once, for an answer that is large. */
  constructor(private readonly openRelay: (() => PostRelay | undefined) | undefined) {}

  /** The answer, once it is whole and was passed on. */
  get relayed(): BridgedAnswer | undefined {
    return this.relay?.relayed;
  }

  /** What is in memory of it. */
  get heldBytes(): number {
    return this.relay === undefined ? this.bytes : 0;
  }

  /** Takes the next bytes; false asks for a pause. */
  take(chunk: Buffer, status: number): boolean {
    if (this.relay !== undefined) return this.relay.push(chunk);
    this.chunks.push(chunk);
    const before = this.bytes;
    this.bytes += chunk.length;
    const isJustLarge = this.bytes > HELD_BYTES_MAX && before <= HELD_BYTES_MAX;
    if (!isJustLarge || status !== 200) return true;
    const relay = this.openRelay?.();
    if (relay?.begin(this.chunks) !== true) return true;
    this.relay = relay;
    this.chunks = [];
    return true;
  }

  /** What is held, once it is whole: undefined where there was nothing, or where the relay had it. `upstream.protocol` where it is not UTF-8. */
  end(): string | undefined {
    if (this.relay !== undefined) {
      this.relay.end();
      return undefined;
    }
    const [only] = this.chunks;
    const body = this.chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.chunks);
    try {
      const text = body.length === 0 ? undefined : utf8.decode(body);
      for (const chunk of this.chunks) giveBack(chunk);
      return text;
    } catch (error) {
      throw new GatewayError('upstream.protocol', { fault: 'not UTF-8' }, { cause: error });
    }
  }
}
