import type { GatewayError } from '@portcullis/contracts/errors';
import type { ProgressLine } from '@portcullis/mcp';
import type { PostRelay } from './answers/answer-bytes.js';
import type { BridgedAnswer } from './answers/bridge-answer.js';
import type { AnswerShare } from './answers/large-answers.js';

/** One JSON-RPC message on its way to a server, and how much patience and memory its answer may take. */
export interface UpstreamPost {
  readonly path: string;
  readonly headers: string[];
  readonly body: string;
  readonly firstByteTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly resultBytesMax: number;
  /** Told each message of a stream; true when it was the last that matters. */
  readonly isAnswer: (message: string) => boolean;
  /** Told each message before the answer; false asks for a pause until `resume`. */
  readonly onMessage: (message: string) => boolean;
  /** Messages before the answer that need not be read to be passed on; false asks for a pause until `resume`. */
  readonly progress?: ProgressRelay | undefined;
  /** Where a large answer may go as it comes; without it every answer is held until it is whole. */
  readonly relay?: () => PostRelay | undefined;
  /** In what large answers share; without it an answer is small by its limit. */
  readonly share?: AnswerShare;
  /** Headers to go on with by GET where the stream breaks off before its answer; undefined where its server cannot go on. */
  readonly resumeHeaders?: readonly string[] | undefined;
  /** Told each time that it is sent once more. */
  readonly record?: Retried;
}

/** What a call that is sent once more is on record with. */
export interface Retried {
  retried(): void;
}

/** Passes progress on as the bytes it came in. */
export interface ProgressRelay {
  readonly find: (data: Uint8Array) => ProgressLine | undefined;
  readonly pass: (line: ProgressLine) => boolean;
}

/** What a server answered: the HTTP side, and the JSON-RPC answer if there was one. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly message: string | undefined;
  /** Where the answer went to the relay. */
  readonly relayed?: BridgedAnswer | undefined;
}

/** A post under way. */
export interface PostInFlight {
  readonly answer: Promise<UpstreamAnswer>;
  resume(): void;
  /** Breaks the connection off; `answer` rejects with this reason. */
  abort(reason: GatewayError): void;
}
