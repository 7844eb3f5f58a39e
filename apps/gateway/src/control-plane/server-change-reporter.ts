import type { ControlPlaneClient } from './control-plane-client.js';

const GAP_MS = 250;
const RETRY_MS = 10_000;

/** Tells the control plane which servers say that they changed, so that they are discovered again: each at most four times a second. */
export class ServerChangeReporter {
  /** Servers told of just now; true when there is more to tell since. */
  private readonly resting = new Map<string, boolean>();

  constructor(private readonly client: Pick<ControlPlaneClient, 'serverChanged'>) {}

  /** A server says that its lists changed, or was out of hearing for a while. */
  report(serverId: string): void {
    if (this.resting.has(serverId)) this.resting.set(serverId, true);
    else void this.send(serverId);
  }

  private async send(serverId: string): Promise<void> {
    this.resting.set(serverId, false);
    const restMs = await this.client.serverChanged(serverId).then(
      () => GAP_MS,
      () => {
        this.resting.set(serverId, true); // it was not told
        return RETRY_MS;
      },
    );
    setTimeout(() => {
      const isMore = this.resting.get(serverId) === true;
      this.resting.delete(serverId);
      if (isMore) this.report(serverId);
    }, restMs).unref();
  }
}
