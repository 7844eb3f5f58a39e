import type { Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import { proposeProfile } from '../launch/launch-profiles.repository.js';
import { forgetSightings } from '../servers/definitions.repository.js';
import { STDIO_URL, stdioUrl } from '../servers/stdio-url.js';
import type { ImportRun } from './import-run.js';
import type { Imported, JudgedRow } from './judge-candidate.js';
import type { Launch } from './launch-from-command.js';
import { lastLaunch, type KnownServer } from './plan-rows.js';

/** Thousands of servers registered together are first asked one after the other, at this pace, and then by a slower clock than single ones. */
const DISCOVERIES_PER_SECOND = 50;
const REFRESH_SECONDS = 3600;
const IMPORTED = 'imported';

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
    data: servers.map(({ id, slug, judged: { key, transport, imported, launch } }, at) => ({
      id,
      slug,
      ...imported,
      tags: [...imported.tags],
      ...(launch === undefined ? { transport } : { url: stdioUrl(slug), transportPin: 'stdio' }),
      refreshIntervalSeconds: REFRESH_SECONDS,
      // A program is asked when a runner has it.
      nextDiscoveryAt: launch === undefined ? discoveryTime(run, run.created + at) : null,
      importSource: run.source,
      importKey: key,
      importedJson: importedText(imported, launch),
    })),
  });
  for (const { id, judged } of servers) if (judged.launch !== undefined) await insertLaunch(tx, run, id, judged.launch);
}

const importedText = (imported: Imported, launch: Launch | undefined): string =>
  JSON.stringify({ ...imported, ...(launch && { launch: launch.hash }) });

/** What is to be started waits for approval, and its secrets lie in a credential from the beginning. */
async function insertLaunch(tx: Transaction, run: ImportRun, serverId: string, { profile, secrets }: Launch): Promise<void> {
  await proposeProfile(tx, serverId, profile, { name: run.author.name, reason: IMPORTED });
  if (secrets.length === 0) return;
  const id = v7();
  const settings = { origin: new URL(STDIO_URL).origin, headers: [], variables: secrets.map(([name]) => name), oauth: null, requiresIss: false };
  const secret = { kind: 'environment' as const, variables: secrets.map(([name, value]): [string, string] => [name, value]) };
  const sealed = run.vault.seal({ id, version: 1 }, { settings, secret });
  const row = { id, serverId, agentId: null, holderId: serverId, kind: 'environment' as const, version: 1, settings, status: 'ready' };
  await tx.credential.create({ data: { ...row, ...sealed, createdBy: run.author.name } });
}

/** Who answers at another address may be somebody else, as for a single change: nothing of it is served until discovery has found it there again. */
export async function updateServers(tx: Transaction, run: ImportRun, servers: readonly ChangedServer[]): Promise<void> {
  for (const { server, change, judged } of servers) {
    const isMoved = change.url !== undefined;
    const { tags, ...fields } = change;
    await tx.server.update({
      where: { id: server.id },
      data: {
        ...fields,
        ...(tags === undefined ? {} : { tags: [...tags] }),
        importedJson: importedText(judged.imported, judged.launch),
        ...(isMoved ? { era: null, bothEras: false, eraSeenAt: null, transport: judged.transport, nextDiscoveryAt: new Date() } : {}),
      },
    });
    if (isMoved) await forgetSightings(tx, server.id);
    const { launch } = judged;
    if (launch !== undefined && launch.hash !== lastLaunch(server))
      await proposeProfile(tx, server.id, launch.profile, { name: run.author.name, reason: IMPORTED });
  }
}

function discoveryTime({ startedAt }: ImportRun, place: number): Date {
  return new Date(startedAt.getTime() + (place / DISCOVERIES_PER_SECOND + Math.random()) * 1000);
}
