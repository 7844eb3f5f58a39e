/** Why a runner cannot answer for a child. `mayHaveRun` false says that the child got nothing of the request, so that it may be sent again. */
export type FaultReason =
  | 'runner.child_ended'
  | 'runner.too_large'
  | 'runner.cancelled'
  | 'runner.start_failed'
  | 'runner.backing_off'
  | 'runner.quarantined'
  | 'runner.full'
  | 'runner.busy'
  | 'runner.stopping';

const TEXTS: Record<FaultReason, string> = {
  'runner.child_ended': 'The server ended while it worked on this, which may have run',
  'runner.too_large': 'The server gave an answer that is too large, to what may have run',
  'runner.cancelled': 'The request was cancelled',
  'runner.start_failed': 'The server cannot be started',
  'runner.backing_off': 'The server failed and is started again later',
  'runner.quarantined': 'The server failed too often and stays down until an operator has looked at it',
  'runner.full': 'The server has no room for another agent',
  'runner.busy': 'The server does not read what it is sent',
  'runner.stopping': 'The server is moving',
};

const RAN: ReadonlySet<FaultReason> = new Set(['runner.child_ended', 'runner.too_large', 'runner.cancelled']);

/** A request that is answered with an error of the runner's own. */
export class RpcFault extends Error {
  override readonly name = 'RpcFault';

  constructor(
    readonly reason: FaultReason,
    /** When it is worth another try. */
    readonly retryAfterMs?: number,
  ) {
    super(TEXTS[reason]);
  }

  get mayHaveRun(): boolean {
    return RAN.has(this.reason);
  }

  /** The JSON-RPC error to a request, whose id is given as JSON. */
  asMessage(idJson: string): string {
    const { reason, mayHaveRun, message } = this;
    return errorJson(idJson, { code: -32603, message, data: { reason, mayHaveRun } });
  }
}

/** A JSON-RPC error to a request, whose id is given as JSON. */
export function errorJson(idJson: string, error: { readonly code: number; readonly message: string; readonly data?: unknown }): string {
  return `{"jsonrpc":"2.0","id":${idJson},"error":${JSON.stringify(error)}}`;
}
