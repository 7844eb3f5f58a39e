import type { Transaction } from '@portcullis/database';
import { forgetSightings } from '../servers/definitions.repository.js';
import type { ImportRun } from './import-run.js';
import type { Imported, JudgedRow } from './judge-candidate.js';
import type { KnownServer } from './plan-rows.js';

/** Thousands of servers registered together are first asked one after the other, at this pace, and then by a slower clock than single ones. */
const DISCOVERIES_PER_SECOND = 50;
const REFRESH_SECONDS = 3600;

interface NewServer {
  readonly id: string;
  readonly slug: string;
  readonly judged: JudgedRow;
}

interface ChangedServer {
  readonly server: KnownServer;
  readonly change: Partial<Imported>;
  readonly judged: JudgedRow;
}

/** Nothing of them is approved: they wait for discovery, and then for an operator. */
export async function insertServers(tx: Transaction, run: ImportRun, servers: readonly NewServer[]): Promise<void> {
  if (servers.length === 0) return;
  await tx.server.createMany({
    data: servers.map(({ id, slug, judged: { key, transport, imported } }, at) => ({
      id,
      slug,
      ...imported,
      tags: [...imported.tags],
      transport,
      refreshIntervalSeconds: REFRESH_SECONDS,
      nextDiscoveryAt: discoveryTime(run, run.created + at),
      importSource: run.source,
      importKey: key,
      importedJson: JSON.stringify(imported),
    })),
  });
}

/** Who answers at another address may be somebody else, as for a single change: nothing of it is served until discovery has found it there again. */
export async function updateServers(tx: Transaction, servers: readonly ChangedServer[]): Promise<void> {
  for (const { server, change, judged } of servers) {
    const isMoved = change.url !== undefined;
    const { tags, ...fields } = change;
    await tx.server.update({
      where: { id: server.id },
      data: {
        ...fields,
        ...(tags === undefined ? {} : { tags: [...tags] }),
        importedJson: JSON.stringify(judged.imported),
        ...(isMoved ? { era: null, bothEras: false, eraSeenAt: null, transport: judged.transport, nextDiscoveryAt: new Date() } : {}),
      },
    });
    if (isMoved) await forgetSightings(tx, server.id);
  }
}

function discoveryTime({ startedAt }: ImportRun, place: number): Date {
  return new Date(startedAt.getTime() + (place / DISCOVERIES_PER_SECOND + Math.random()) * 1000);
}
