/** Where the JSON-RPC messages that answer one request go, whatever carries them: an HTTP answer, or a place in a batch. */
export interface Reply {
  /** A message before the last one; false when the reader is slow and the writer should wait for `onceDrained`. */
  notify(message: string): boolean;
  /** The last message, in pieces; `status` counts only where nothing was sent yet. */
  finish(status: number, message: readonly (string | Buffer)[]): void;
  /** Ends without a last message: whoever asked has said that it wants none. */
  finishSilently(): void;
  /** Called once when whoever waits for the answer has gone away before it was complete. */
  onGone(listener: () => void): void;
  /** Calls once when the reader has caught up, or has gone. One that does not get on at all is hung up on. */
  onceDrained(listener: () => void): void;
}
