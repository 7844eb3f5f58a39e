import type { ProgressLine } from '@portcullis/mcp';

/** The last message of a reply, given piece by piece. Whatever else ends the reply cuts it off, so that nobody takes it for whole. */
export interface AnswerBody {
  /** False when the reader is slow and the writer should wait for `onceDrained`. `onWritten` is called once nobody needs the piece any more. */
  write(piece: Uint8Array, onWritten?: () => void): boolean;
  end(piece: Uint8Array): void;
  onceDrained(listener: () => void): void;
}

/** Where the JSON-RPC messages that answer one request go, whatever carries them: an HTTP answer, or a place in a batch. */
export interface Reply {
  /** A message before the last one; false when the reader is slow and the writer should wait for `onceDrained`. */
  notify(message: string): boolean;
  /** The same of progress as it came, under the agent's token; its bytes are not needed afterwards. No such member where it has to be a text. */
  notifyProgress?(line: ProgressLine, token: Uint8Array): boolean;
  /** The last message, in pieces; `status` counts only where nothing was sent yet. */
  finish(status: number, message: readonly (string | Buffer)[]): void;
  /** Ends without a last message: whoever asked has said that it wants none. */
  finishSilently(): void;
  /** Begins the last message before all of it is known; undefined, or no such member, where it has to be given whole. */
  begin?(): AnswerBody | undefined;
  /** Called once when whoever waits for the answer has gone away before it was complete. */
  onGone(listener: () => void): void;
  /** Calls once when the reader has caught up, or has gone. One that does not get on at all is hung up on. */
  onceDrained(listener: () => void): void;
  /** Calls once when nothing of it is left in memory; no such member where that is soon. */
  onceSent?(listener: () => void): void;
}
