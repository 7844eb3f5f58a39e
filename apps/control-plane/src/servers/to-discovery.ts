import { Server } from '@portcullis/contracts/api/servers';
import type { ServerRow } from './servers.repository.js';

/** How asking a server what it offers went last, as operators see it. */
export function toDiscovery({ discoveredAt, discoveryError, discoveryProblems }: ServerRow): Server['discovery'] {
  return {
    status: discoveredAt === null ? 'never' : discoveryError === null ? 'ok' : 'failed',
    at: discoveredAt?.toISOString() ?? null,
    error: discoveryError,
    problems: Server.shape.discovery.shape.problems.parse(discoveryProblems),
  };
}
