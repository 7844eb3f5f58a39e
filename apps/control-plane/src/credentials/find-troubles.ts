import type { CredentialTrouble } from '@portcullis/contracts/api/credentials';
import { Prisma, type PrismaClient, type Transaction } from '@portcullis/database';
import { isMadeFor } from './stored-credential.js';

/** What keeps a server from being called, or soon will, and the server that it is about. */
export interface FoundTrouble extends CredentialTrouble {
  readonly serverId: string;
  readonly server: string;
}

interface Found {
  readonly serverId: string;
  readonly server: string;
  readonly url: string;
  readonly agent: string | null;
  readonly credentialId: string | null;
  readonly origin: string;
  readonly status: string;
  readonly statusReason: string | null;
  readonly failingSince: Date | null;
  readonly failure: string | null;
  readonly endsAt: Date | null;
}

export interface TroubleQuery {
  /** Only of these; all where it is unsaid. */
  readonly serverIds?: readonly string[];
  /** What ends before that by itself counts. */
  readonly endsBefore: Date;
}

/** Credentials and certificates of servers that somebody has to look after, in order of server. */
export async function findTroubles(db: PrismaClient | Transaction, { serverIds, endsBefore }: TroubleQuery): Promise<FoundTrouble[]> {
  const among = serverIds === undefined ? Prisma.sql`true` : Prisma.sql`s.id = ANY(${[...serverIds]}::uuid[])`;
  // A URL may be written in more ways than an origin: what only seems to have moved is looked at again below.
  const rows = await db.$queryRaw<Found[]>`
    SELECT s.id::text AS "serverId", s.slug AS server, s.url, a.slug AS agent, c.id::text AS "credentialId", c.settings->>'origin' AS origin, c.status,
      c.status_reason AS "statusReason", t.failing_since AS "failingSince", t.failure,
      CASE WHEN t.refresh_token IS NULL THEN t.access_expires_at END AS "endsAt"
    FROM credential c JOIN server s ON s.id = c.server_id LEFT JOIN agent a ON a.id = c.agent_id LEFT JOIN credential_token t ON t.credential_id = c.id
    WHERE ${among} AND (c.status <> 'ready' OR NOT starts_with(s.url, (c.settings->>'origin') || '/') OR t.failing_since IS NOT NULL
      OR (t.refresh_token IS NULL AND t.access_expires_at < ${endsBefore}))
    UNION ALL
    SELECT s.id::text, s.slug, s.url, NULL, NULL, x.origin, 'ready', NULL, NULL, NULL, x.expires_at
    FROM server_tls x JOIN server s ON s.id = x.server_id
    WHERE ${among} AND (NOT starts_with(s.url, x.origin || '/') OR x.expires_at < ${endsBefore})
    ORDER BY 2, 5 NULLS FIRST`;
  return rows.flatMap((row) => {
    const trouble = troubleOf(row, endsBefore);
    return trouble === undefined ? [] : [{ ...trouble, serverId: row.serverId, server: row.server }];
  });
}

function troubleOf(row: Found, endsBefore: Date): CredentialTrouble | undefined {
  const { agent, credentialId, status, failingSince, endsAt } = row;
  const of = { agent, credentialId, endsAt: endsAt?.toISOString() ?? null };
  if (!isMadeFor({ origin: row.origin }, row.url)) return { ...of, state: 'reconnect', reason: 'The server has moved to another origin.' };
  if (status === 'unconnected') return { ...of, state: 'unconnected', reason: 'Nobody has made the connection yet.' };
  if (status !== 'ready') return { ...of, state: 'reconnect', reason: row.statusReason ?? 'The connection has ended.' };
  if (failingSince !== null) return { ...of, state: 'failing', reason: `${row.failure ?? 'No token'}, since ${failingSince.toISOString()}.` };
  if (endsAt === null || endsAt >= endsBefore) return undefined;
  const what = credentialId === null ? 'A certificate' : 'A token that cannot be renewed';
  return { ...of, state: 'ends-soon', reason: `${what} ends ${endsAt.toISOString()}.` };
}

/** What an operator does about it, with the request to send. */
export function stepAgainst({ server, credentialId, state }: Pick<FoundTrouble, 'server' | 'credentialId' | 'state'>): string {
  if (credentialId === null) return `Give its certificates anew: PUT /v1/servers/${server}/tls, or portcullis credential tls set ${server}`;
  if (state === 'failing') return `Look at what its authorization server says: GET /v1/credentials/${credentialId}`;
  return `Reconnect it: POST /v1/credentials/${credentialId}/connect, or portcullis credential connect ${credentialId}`;
}

/** So long before its end a certificate or a token is shown with its server. */
export const SHOWN_MS = 14 * 86_400_000;
