import type { ClosablePool, Upstream } from './upstreams.js';
import { SignedInPool } from './credentials/signed-in-pool.js';
import type { UpstreamCredential } from './credentials/upstream-credential.js';

/** How messages get to a server: connections for calls, others for streams that stay open, and the path there. */
export interface UpstreamWay extends Pick<Upstream, 'address' | 'path'> {
  readonly pool: ClosablePool;
  readonly streams: ClosablePool;
  /** Names what the server is called with; undefined: nothing. A session that was opened with something else is not gone on with. */
  readonly signedInAs: string | undefined;
}

/** The connections of an upstream, over which everything goes with a credential. */
export class SignedInWay implements UpstreamWay {
  readonly pool: ClosablePool;
  private ownStreams: ClosablePool | undefined;

  constructor(
    readonly upstream: Upstream,
    private readonly credential: UpstreamCredential,
  ) {
    this.pool = new SignedInPool(upstream.pool, credential);
  }

  get streams(): ClosablePool {
    return (this.ownStreams ??= new SignedInPool(this.upstream.streams, this.credential));
  }

  get address(): Upstream['address'] {
    return this.upstream.address;
  }

  get path(): string {
    return this.upstream.path;
  }

  get signedInAs(): string {
    return this.credential.name;
  }
}
