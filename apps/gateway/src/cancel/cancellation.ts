import { GatewayError } from '@portcullis/contracts/errors';

/** Whether one call is still wanted, and what has to be stopped once it is not. */
export class Cancellation {
  private reason: GatewayError | undefined;
  private stop: ((reason: GatewayError) => void) | undefined;

  cancel(): void {
    this.end(new GatewayError('client.cancelled'));
  }

  /** Stops the call; the first reason counts. */
  end(reason: GatewayError): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.stop?.(reason);
  }

  /** Throws the reason where it is too late to begin. */
  throwIfCancelled(): void {
    if (this.reason !== undefined) throw this.reason;
  }

  /** What to stop from now on, in place of what it was before. */
  stopsWith(stop: (reason: GatewayError) => void): void {
    this.stop = stop;
  }
}
