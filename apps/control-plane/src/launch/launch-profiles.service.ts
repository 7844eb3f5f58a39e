import { Inject, Injectable } from '@nestjs/common';
import type {
  ApproveLaunchProfile,
  LaunchProfilePage,
  LaunchProfileVersion,
  ListLaunchProfilesQuery,
  ProposeLaunchProfile,
  RejectLaunchProfile,
} from '@portcullis/contracts/api/launch-profiles';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, ChangeDetail } from '../changes/author.js';
import { PolicyChanges, type Changed, type MadeChange } from '../changes/policy-changes.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { ProblemError } from '../http/problem.js';
import { forgetSightings } from '../servers/definitions.repository.js';
import { serverBucket, serverSubject, ServersService } from '../servers/servers.service.js';
import { listProfiles, proposeProfile, requireProfile, type ProfileRow } from './launch-profiles.repository.js';
import { requireNoSecret } from './require-launch.js';
import { toLaunchProfile } from './to-launch-profile.js';

type Server = Awaited<ReturnType<ServersService['find']>>;

/** What servers of stdio are started as. Nothing runs but what was approved here, as a whole. */
@Injectable()
export class LaunchProfilesService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(ServersService) private readonly servers: ServersService,
  ) {}

  async list({ server, cursor, ...query }: ListLaunchProfilesQuery): Promise<z.infer<typeof LaunchProfilePage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const serverId = server === undefined ? undefined : (await this.servers.find(this.database, server)).id;
    return pageFrom(await listProfiles(this.database, query, { serverId, after }), query.limit, toLaunchProfile, ({ id }) => [id]);
  }

  async read(reference: string, version: number): Promise<LaunchProfileVersion> {
    const { id } = await this.servers.find(this.database, reference);
    return toLaunchProfile(await requireProfile(this.database, id, version));
  }

  /** It waits for approval; what was approved before goes on running. Refuses (409) a server with an address. */
  async propose(author: Author, reference: string, { profile, reason }: ProposeLaunchProfile): Promise<Changed<LaunchProfileVersion>> {
    requireNoSecret(profile);
    return this.told(
      await this.changes.apply(author, 'profile.proposed', reason, async (tx) => {
        const server = await this.requireStdio(tx, reference);
        const proposed = await proposeProfile(tx, server.id, profile, { name: author.name, reason });
        return about(server, proposed.version, { ...proposed, profile }, false);
      }),
    );
  }

  /**
   * From here on this runs, and what ran before does not. Who runs now may be somebody else: nothing of the server is served until discovery has found
   * there exactly what was approved. Refuses (409) a version that does not wait, or is not the one that was looked at.
   */
  async approve(author: Author, reference: string, version: number, { hash, reason }: ApproveLaunchProfile): Promise<Changed<LaunchProfileVersion>> {
    return this.told(
      await this.changes.apply(author, 'profile.approved', reason, async (tx) => {
        const server = await this.requireStdio(tx, reference);
        const row = await requireProfile(tx, server.id, version);
        if (row.state !== 'pending') throw new ProblemError('conflict', `Version ${String(version)} does not wait for approval: it is ${row.state}.`);
        if (row.hash !== hash) throw new ProblemError('conflict', 'The hash is not that of this version. Look through it again.');
        const before = await tx.launchProfileVersion.findFirst({ where: { serverId: server.id, state: 'approved' } });
        await tx.launchProfileVersion.updateMany({ where: { serverId: server.id, state: 'approved' }, data: { state: 'superseded' } });
        await decide(tx, row, 'approved', { by: author.name, reason });
        if (before?.hash !== hash) await beginAnew(tx, server.id);
        return about(server, version, { version, hash, profile: row.profile, before: before?.version ?? null });
      }),
    );
  }

  /** Rejecting what is approved ends what runs. Refuses (409) what was decided against, or gave way, already. */
  async reject(author: Author, reference: string, version: number, { reason }: RejectLaunchProfile): Promise<Changed<LaunchProfileVersion>> {
    return this.told(
      await this.changes.apply(author, 'profile.rejected', reason, async (tx) => {
        const server = await this.requireStdio(tx, reference);
        const row = await requireProfile(tx, server.id, version);
        if (row.state !== 'pending' && row.state !== 'approved')
          throw new ProblemError('conflict', `Version ${String(version)} is ${row.state} already.`);
        await decide(tx, row, 'rejected', { by: author.name, reason });
        const nobody = { runnerId: null, toldAt: null, placeRunnerId: null, placeAddress: null };
        if (row.state === 'approved') await tx.hosting.updateMany({ where: { serverId: server.id }, data: nobody });
        return about(server, version, { version, hash: row.hash, before: row.state });
      }),
    );
  }

  private async requireStdio(tx: Transaction, reference: string): Promise<Server> {
    const server = await this.servers.find(tx, reference);
    if (server.transportPin !== 'stdio') throw new ProblemError('conflict', `${server.slug} has an address; nothing is started for it.`);
    return server;
  }

  private async told({ result: { serverId, version }, revision }: Changed<Decided>): Promise<Changed<LaunchProfileVersion>> {
    return { result: toLaunchProfile(await requireProfile(this.database, serverId, version)), revision };
  }
}

interface Decided {
  readonly serverId: string;
  readonly version: number;
}

function about(server: Server, version: number, change: ChangeDetail, isServed = true): MadeChange<Decided> {
  const dirty = isServed ? [serverBucket(server.id)] : [];
  return { result: { serverId: server.id, version }, subject: serverSubject(server), change, dirty };
}

async function decide(
  tx: Transaction,
  { id }: ProfileRow,
  state: 'approved' | 'rejected',
  { by, reason }: { by: string; reason: string | undefined },
): Promise<void> {
  const data = { state, decidedBy: by, decidedAt: new Date(), decisionReason: reason ?? null };
  await tx.launchProfileVersion.update({ where: { id }, data });
}

/** Its runner is told anew, and the server is asked what it offers when it knows. */
async function beginAnew(tx: Transaction, serverId: string): Promise<void> {
  await tx.hosting.upsert({ where: { serverId }, create: { serverId }, update: { toldAt: null, discover: true } });
  await tx.server.update({ where: { id: serverId }, data: { era: null, bothEras: false, eraSeenAt: null } });
  await forgetSightings(tx, serverId);
}
