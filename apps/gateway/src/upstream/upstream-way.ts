import type { ServerEntry } from '@portcullis/contracts/snapshot';
import type { Dispatcher } from 'undici';

/** A pool to one origin, as the egress makes it. */
export type ClosablePool = Dispatcher & { close(): Promise<void>; destroy(): Promise<void> };

/** How messages get to a server: connections for calls, others for streams that stay open, and the path there. */
export interface UpstreamWay {
  readonly address: Pick<ServerEntry, 'url' | 'transport' | 'place'>;
  readonly path: string;
  readonly pool: ClosablePool;
  readonly streams: ClosablePool;
  /** Names what the server is called with; undefined: nothing. A session that was opened with something else is not gone on with. */
  readonly signedInAs: string | undefined;
}
