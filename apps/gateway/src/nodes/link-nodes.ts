import type { Logger, OnClose } from '@portcullis/boot';
import type { Config } from '../config.js';
import { startInternalServer } from './internal-server.js';
import { NodeClient } from './node-client.js';
import type { NodeLinks } from './node-links.js';
import type { NodeLinkKey } from './node-signature.js';

interface LinkParts {
  /** What nodes sign their requests with, the current key first. */
  readonly keys: () => readonly NodeLinkKey[];
  readonly logger: Logger;
  readonly onClose: OnClose;
}

/** Opens this node's internal listener and its way to those of others. */
export async function linkNodes(config: Config, { keys, logger, onClose }: LinkParts): Promise<NodeLinks> {
  const shared = { keys, now: () => Date.now() };
  const client = new NodeClient(shared);
  onClose('node client', () => client.close());
  const server = await startInternalServer({
    host: config.internalHost,
    port: config.internalPort,
    url: config.internalUrl,
    logError: (error, message) => logger.error({ err: error }, message),
    ...shared,
  });
  onClose('internal listener', () => server.close());
  return {
    url: server.url,
    route: (name, handler) => server.route(name, handler),
    send: (nodeUrl, name, body, options) => client.send(nodeUrl, name, body, options),
  };
}
