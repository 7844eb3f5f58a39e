import type { ClosablePool, UpstreamWay } from '../upstream-way.js';
import { SignedInPool } from './signed-in-pool.js';
import type { UpstreamCredential } from './upstream-credential.js';

/** The connections of an upstream, over which everything goes with a credential. */
export class SignedInWay implements UpstreamWay {
  readonly pool: ClosablePool;
  private ownStreams: ClosablePool | undefined;

  constructor(
    readonly upstream: UpstreamWay,
    private readonly credential: UpstreamCredential,
  ) {
    this.pool = new SignedInPool(upstream.pool, credential);
  }

  get streams(): ClosablePool {
    return (this.ownStreams ??= new SignedInPool(this.upstream.streams, this.credential));
  }

  get address(): UpstreamWay['address'] {
    return this.upstream.address;
  }

  get path(): string {
    return this.upstream.path;
  }

  get signedInAs(): string {
    return this.credential.name;
  }
}
