import type { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import type { LaunchProfileState, LaunchProfileVersion, Prisma, PrismaClient, Transaction } from '@portcullis/database';
import { notFound } from '../http/problem.js';
import { launchHash } from './require-launch.js';

export type ProfileRow = LaunchProfileVersion & { readonly server: { readonly slug: string } };

const include = { server: { select: { slug: true } } } as const;

/** In order of id, one more than asked for. */
export async function listProfiles(
  db: PrismaClient,
  { state, limit }: { readonly state?: LaunchProfileState | undefined; readonly limit: number },
  place: { readonly serverId: string | undefined; readonly after: string | undefined },
): Promise<ProfileRow[]> {
  const where: Prisma.LaunchProfileVersionWhereInput = {
    ...(state !== undefined && { state }),
    ...(place.serverId !== undefined && { serverId: place.serverId }),
    ...(place.after !== undefined && { id: { gt: place.after } }),
  };
  return db.launchProfileVersion.findMany({ where, include, orderBy: { id: 'asc' }, take: limit + 1 });
}

/** Refuses (404) what does not exist. */
export async function requireProfile(db: PrismaClient | Transaction, serverId: string, version: number): Promise<ProfileRow> {
  const row = await db.launchProfileVersion.findUnique({ where: { serverId_version: { serverId, version } }, include });
  if (row === null) throw notFound('launch profile');
  return row;
}

/** What is proposed takes the place of what waited. */
export async function proposeProfile(
  tx: Transaction,
  serverId: string,
  profile: LaunchProfile,
  by: { readonly name: string; readonly reason: string | undefined },
): Promise<{ version: number; hash: string }> {
  const { _max: last } = await tx.launchProfileVersion.aggregate({ where: { serverId }, _max: { version: true } });
  await tx.launchProfileVersion.updateMany({ where: { serverId, state: 'pending' }, data: { state: 'superseded' } });
  const [version, hash] = [(last.version ?? 0) + 1, launchHash(profile)];
  const data = { serverId, version, hash, profile: profile as Prisma.InputJsonObject, proposedBy: by.name, reason: by.reason ?? null };
  await tx.launchProfileVersion.create({ data });
  return { version, hash };
}

/** Nothing that was approved or waits counts any more: what comes back to stdio begins anew. */
export async function forgetProfiles(tx: Transaction, serverId: string): Promise<void> {
  await tx.launchProfileVersion.updateMany({ where: { serverId, state: { in: ['pending', 'approved'] } }, data: { state: 'superseded' } });
  await tx.hosting.deleteMany({ where: { serverId } });
}
