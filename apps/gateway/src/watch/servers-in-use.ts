/** Begun calls of each server that this node has called, since the node's start. */
type Usage = Iterable<readonly [serverId: string, calls: number]>;

interface ServersInUseParts {
  readonly usage: () => Usage;
  readonly want: (serverId: string, isWanted: boolean) => void;
  /** Any clock that does not go back, in milliseconds. */
  readonly now: () => number;
}

export const LOOK_MS = 500;
/** How long after its last call a server is still listened to. */
export const IDLE_MS = 600_000;

/**
 * Listens to servers for as long as they are called, so that a tool which changes between two calls is not called again, also where no agent holds a
 * stream open. It looks at counters now and then: a call costs no more for it.
 */
export class ServersInUse {
  private readonly used = new Map<string, { calls: number; at: number; isWanted: boolean }>();

  constructor(private readonly parts: ServersInUseParts) {}

  look(): void {
    const { usage, want, now } = this.parts;
    const at = now();
    for (const [serverId, calls] of usage()) {
      const known = this.used.get(serverId);
      if (calls === (known?.calls ?? 0)) continue;
      this.used.set(serverId, { calls, at, isWanted: true });
      if (known?.isWanted !== true) want(serverId, true);
    }
    for (const [serverId, known] of this.used) {
      if (!known.isWanted || at - known.at < IDLE_MS) continue;
      known.isWanted = false;
      want(serverId, false);
    }
  }
}
