import { GatewayError } from '@portcullis/contracts/errors';

/** Whether one call is still wanted, and what has to be stopped once it is not. */
export class Cancellation {
  private reason: GatewayError | undefined;
  private stop: ((reason: GatewayError) => void) | undefined;

  cancel(): void {
    if (this.reason !== undefined) return;
    this.reason = new GatewayError('client.cancelled');
    this.stop?.(this.reason);
  }

  /** Throws `client.cancelled` where it is too late to begin. */
  throwIfCancelled(): void {
    if (this.reason !== undefined) throw this.reason;
  }

  /** What to stop from now on, in place of what it was before. */
  stopsWith(stop: (reason: GatewayError) => void): void {
    this.stop = stop;
  }
}
