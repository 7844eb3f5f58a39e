import type { ListCredentialsQuery } from '@portcullis/contracts/api/credentials';
import type { Credential, CredentialToken, Prisma, PrismaClient, Transaction } from '@portcullis/database';
import { notFound } from '../http/problem.js';

type Reader = PrismaClient | Transaction;

/** A credential with the names of what it is for, and when its token ends. */
export type CredentialRow = Credential & {
  readonly server: { readonly slug: string; readonly url: string };
  readonly agent: { readonly slug: string } | null;
  readonly token: Pick<CredentialToken, 'accessExpiresAt'> | null;
};

const include = {
  server: { select: { slug: true, url: true } },
  agent: { select: { slug: true } },
  token: { select: { accessExpiresAt: true } },
} satisfies Prisma.CredentialInclude;

/** Refuses (404) what does not exist. */
export async function requireCredential(db: Reader, id: string): Promise<CredentialRow> {
  const row = await db.credential.findUnique({ where: { id }, include });
  if (row === null) throw notFound('credential');
  return row;
}

/** In order of id, one more than asked for. */
export async function listCredentials(
  db: Reader,
  { status, limit }: Pick<ListCredentialsQuery, 'status' | 'limit'>,
  place: { readonly serverId?: string | undefined; readonly agentId?: string | undefined; readonly after: string | undefined },
): Promise<CredentialRow[]> {
  const { serverId, agentId, after } = place;
  const where: Prisma.CredentialWhereInput = {
    ...(serverId !== undefined && { serverId }),
    ...(agentId !== undefined && { agentId }),
    ...(status !== undefined && { status }),
    ...(after !== undefined && { id: { gt: after } }),
  };
  return db.credential.findMany({ where, include, orderBy: { id: 'asc' }, take: limit + 1 });
}

/** What a server is called with where nothing else is said. */
export async function findServersOwn(db: Reader, serverId: string): Promise<CredentialRow | null> {
  return db.credential.findUnique({ where: { serverId_holderId: { serverId, holderId: serverId } }, include });
}

/** The servers at which each of these agents has a credential of its own. */
export async function serversCalledFor(db: Reader, agentIds: readonly string[]): Promise<(agentId: string) => string[]> {
  const rows = await db.credential.findMany({ where: { agentId: { in: [...agentIds] } }, select: { agentId: true, serverId: true } });
  return (agentId) => rows.flatMap((row) => (row.agentId === agentId ? [row.serverId] : []));
}
