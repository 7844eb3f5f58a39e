import { Inject, Injectable } from '@nestjs/common';
import type { ReplaceServerTls, ServerTls } from '@portcullis/contracts/api/server-tls';
import { PrismaClient, type ServerTls as ServerTlsRow, type Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { notFound } from '../http/problem.js';
import { serverBucket } from '../servers/servers.service.js';
import { CredentialHolders } from './credential-holders.js';
import { CredentialVault } from './credential-vault.js';
import { certificatesIn, requireCertificates, summaryOf } from './read-certificates.js';
import { isMadeFor } from './stored-credential.js';

type Row = ServerTlsRow & { readonly server: { readonly slug: string; readonly url: string } };

/** With which certificates servers are reached. Keys come in here and are never told again. */
@Injectable()
export class ServerTlsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(CredentialHolders) private readonly holders: CredentialHolders,
    @Inject(CredentialVault) private readonly vault: CredentialVault,
  ) {}

  async read(server: string): Promise<ServerTls> {
    return toServerTls(await requireRow(this.database, (await this.holders.server(server)).id));
  }

  async replace(author: Author, named: string, config: ReplaceServerTls): Promise<Changed<ServerTls>> {
    const expiresAt = requireCertificates(config);
    const { ca, client, reason } = config;
    const done = await this.changes.apply(author, 'server-tls.replaced', reason, async (tx) => {
      const { id: serverId, url } = await this.holders.server(named, tx);
      const before = await tx.serverTls.findUnique({ where: { serverId } });
      const place = { id: before?.id ?? v7(), version: (before?.version ?? 0) + 1 };
      const sealed = client === null ? null : this.vault.sealTlsKey(place, client.key);
      const certificate = client?.certificate ?? null;
      const data = { ...place, origin: new URL(url).origin, ca, certificate, sealed, expiresAt, updatedBy: author.name };
      await tx.serverTls.upsert({ where: { serverId }, create: { serverId, ...data }, update: data });
      const row = await requireRow(tx, serverId);
      const { authorities, client: shown } = toServerTls(row);
      const change = {
        version: place.version,
        authorities: authorities.map(({ fingerprint }) => fingerprint),
        client: shown[0]?.fingerprint ?? null,
      };
      return { result: row, subject: subjectOf(row), change, dirty: [serverBucket(serverId)] };
    });
    await this.holders.noteChanged({ serverId: done.result.serverId, agentId: null });
    return { result: toServerTls(done.result), revision: done.revision };
  }

  async delete(author: Author, named: string): Promise<Changed<undefined>> {
    const { result: serverId, revision } = await this.changes.apply(author, 'server-tls.deleted', undefined, async (tx) => {
      const row = await requireRow(tx, (await this.holders.server(named, tx)).id);
      await tx.serverTls.delete({ where: { id: row.id } });
      return { result: row.serverId, subject: subjectOf(row), change: { deleted: true }, dirty: [serverBucket(row.serverId)] };
    });
    await this.holders.noteChanged({ serverId, agentId: null });
    return { result: undefined, revision };
  }
}

async function requireRow(db: PrismaClient | Transaction, serverId: string): Promise<Row> {
  const row = await db.serverTls.findUnique({ where: { serverId }, include: { server: { select: { slug: true, url: true } } } });
  if (row === null) throw notFound('certificate of this server');
  return row;
}

const subjectOf = ({ serverId, server }: Row) => ({ kind: 'server' as const, id: serverId, slug: server.slug });

const MOVED = 'The server has moved to another origin, and is not called with certificates that were given for the one before. Give them anew.';

function toServerTls(row: Row): ServerTls {
  const isMoved = !isMadeFor(row, row.server.url);
  const summaries = (pem: string | null): ServerTls['client'] => (certificatesIn(pem ?? '') ?? []).map(summaryOf);
  return {
    server: row.server.slug,
    version: row.version,
    status: isMoved ? 'reconnect' : 'ready',
    statusReason: isMoved ? MOVED : null,
    ca: row.ca,
    authorities: summaries(row.ca),
    clientCertificate: row.certificate,
    client: summaries(row.certificate),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    updatedBy: row.updatedBy,
    updatedAt: row.updatedAt.toISOString(),
  };
}
