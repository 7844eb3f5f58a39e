/** What one party may take of a node. */
export interface ServerLimits {
  /** How long headers, and the whole request, may be in coming; looked at every `checkEveryMs`. */
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkEveryMs: number;
  /** How long nothing may move on a connection with a request in progress: a reader that takes nothing is cut off. Streams say more often that they live. */
  readonly stalledMs: number;
  readonly connectionsPerSourceMax: number;
  /** How many connections begin in a second; the rest of a crowd waits for its turn. */
  readonly connectionsPerSecondMax: number;
}

export const SERVER_LIMITS: ServerLimits = {
  headersMs: 9000,
  requestMs: 14_000,
  checkEveryMs: 1000,
  stalledMs: 30_000,
  connectionsPerSourceMax: 12_000,
  connectionsPerSecondMax: 1000,
};
