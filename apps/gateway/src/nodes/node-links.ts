import type { InternalHandler } from './internal-server.js';
import type { SendOptions } from './node-client.js';

/** How the nodes reach one another, past every load balancer. */
export interface NodeLinks {
  /** The address other nodes know this one by; it travels only inside sealed values. */
  readonly url: string;
  /** Serves a kind of request of other nodes. */
  route(name: string, handler: InternalHandler): void;
  /** Asks another node; a NodeUnreachableError when it does not answer. */
  send(nodeUrl: string, name: string, body: unknown, options?: SendOptions): Promise<unknown>;
}
