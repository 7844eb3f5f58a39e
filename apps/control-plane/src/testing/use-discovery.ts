import { afterAll, afterEach, beforeAll } from 'vitest';
import { deleteServers } from './delete-servers.js';
import type { Peer } from './mcp-peers.js';
import { startDiscovery, type Discovery } from './start-discovery.js';
import type { Answer, TestApp } from './start-test-app.js';

/** A discovery that all tests of a file share, from before the first on. */
export interface UsedDiscovery {
  readonly own: TestApp;
  readonly redis: Discovery['redis'];
  /** The address of a server, which is closed after the test; registered servers are deleted then. */
  readonly open: (peer: Peer | Promise<Peer>) => Promise<string>;
  /** Has the server asked, and gives what the route says when that is done. */
  readonly discover: (slug: string) => Promise<Answer['body']>;
  readonly definitions: (slug: string) => Promise<Answer['body']>;
}

export function useDiscovery(): UsedDiscovery {
  let discovery: Discovery;
  let peers: Peer[] = [];
  beforeAll(async () => {
    discovery = await startDiscovery();
  });
  afterEach(async () => {
    await Promise.all(peers.map((peer) => peer.close()));
    peers = [];
    await deleteServers(discovery.own.database);
    await discovery.own.database.definitionChange.deleteMany();
  });
  afterAll(() => discovery.close());
  return {
    get own() {
      return discovery.own;
    },
    get redis() {
      return discovery.redis;
    },
    open: async (peer) => {
      const opened = await peer;
      peers.push(opened);
      return opened.url;
    },
    discover: async (slug) => (await discovery.own.call('POST', `/v1/servers/${slug}/discovery?waitSeconds=30`)).body,
    definitions: async (slug) => (await discovery.own.call('GET', `/v1/servers/${slug}/definitions?limit=200`)).body.items,
  };
}
