import { Inject, Injectable } from '@nestjs/common';
import type { CreateCredential, Credential, CredentialPage, ListCredentialsQuery, ReplaceCredential } from '@portcullis/contracts/api/credentials';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { z } from 'zod';
import type { Author, ChangeDetail } from '../changes/author.js';
import { inTransaction } from '../changes/in-transaction.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { orConflict } from '../database/or-conflict.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { ProblemError } from '../http/problem.js';
import { serverBucket } from '../servers/servers.service.js';
import { CredentialHolders } from './credential-holders.js';
import { CredentialMaker } from './credential-maker.js';
import { credentialSubject } from './credential-subject.js';
import { listCredentials, requireCredential, type CredentialRow } from './credentials.repository.js';
import type { ResolvedCredential } from './stored-credential.js';
import { toCredential } from './to-credential.js';

/** What servers are called with. Secrets come in here and are never told again. */
@Injectable()
export class CredentialsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(CredentialHolders) private readonly holders: CredentialHolders,
    @Inject(CredentialMaker) private readonly maker: CredentialMaker,
  ) {}

  async list({ server, agent, cursor, ...query }: ListCredentialsQuery): Promise<z.infer<typeof CredentialPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const serverId = server === undefined ? undefined : (await this.holders.server(server)).id;
    const agentId = agent === undefined ? undefined : await this.holders.agentId(agent);
    return pageFrom(await listCredentials(this.database, query, { serverId, agentId, after }), query.limit, toCredential, ({ id }) => [id]);
  }

  async read(id: string): Promise<Credential> {
    return toCredential(await requireCredential(this.database, id));
  }

  async create(author: Author, { server: named, agent, credential: config, reason }: CreateCredential): Promise<Changed<Credential>> {
    const { url } = await this.holders.server(named);
    if (config.kind === 'environment' && agent !== undefined)
      throw new ProblemError('unprocessable', 'A program has one environment for all agents; leave agent out.');
    const resolved = await this.maker.resolve(author, config, url);
    const id = v7();
    const work = this.changes.apply(author, 'credential.created', reason, async (tx) => {
      const server = await this.holders.server(named, tx);
      const agentId = agent === undefined ? null : await this.holders.agentId(agent, tx);
      const data = { id, serverId: server.id, agentId, holderId: agentId ?? server.id, createdBy: author.name };
      await tx.credential.create({ data: { ...data, version: 1, ...this.maker.columnsOf({ id, version: 1 }, resolved) } });
      return this.changed(tx, id, changeOf(resolved));
    });
    return this.told(await orConflict(work, 'There is a credential for this already. Replace it: PUT /v1/credentials/{id}.'));
  }

  /** What was there before is forgotten: keys, tokens, connections that were begun. */
  async replace(author: Author, id: string, { credential: config, reason }: ReplaceCredential): Promise<Changed<Credential>> {
    const { server } = await requireCredential(this.database, id);
    // Registering us somewhere is not undone, so nobody is asked for who means another version; it is held again as part of the change.
    await inTransaction(this.database, async (tx) => author.precondition?.hold(tx));
    const resolved = await this.maker.resolve(author, config, server.url);
    const done = await this.changes.apply(author, 'credential.replaced', reason, async (tx) => {
      const { version: before } = await requireCredential(tx, id);
      const version = before + 1;
      await tx.credentialToken.deleteMany({ where: { credentialId: id } });
      await tx.credentialConnection.deleteMany({ where: { credentialId: id } });
      const unconnected = { connectedAt: null, connectedBy: null, statusReason: null };
      await tx.credential.update({ where: { id }, data: { version, ...unconnected, ...this.maker.columnsOf({ id, version }, resolved) } });
      return this.changed(tx, id, { ...changeOf(resolved), version });
    });
    return this.told(done);
  }

  async delete(author: Author, id: string): Promise<Changed<undefined>> {
    const { result: row, revision } = await this.changes.apply(author, 'credential.deleted', undefined, async (tx) => {
      const { result, ...rest } = await this.changed(tx, id, { deleted: true });
      await tx.credential.delete({ where: { id } });
      return { result, ...rest };
    });
    await this.holders.noteChanged(row);
    return { result: undefined, revision };
  }

  private async changed(tx: Transaction, id: string, change: ChangeDetail) {
    const row = await requireCredential(tx, id);
    const detail = { server: row.server.slug, ...(row.agent !== null && { agent: row.agent.slug }), ...change };
    return { result: row, subject: credentialSubject(row), change: detail, dirty: [serverBucket(row.serverId)] };
  }

  private async told({ result, revision }: Changed<CredentialRow>): Promise<Changed<Credential>> {
    await this.holders.noteChanged(result);
    return { result: toCredential(result), revision };
  }
}

/** Names only: neither a value, nor anything made from one. */
function changeOf({ settings: { headers, variables, oauth }, secret }: ResolvedCredential): ChangeDetail {
  if (secret.kind === 'environment') return { kind: secret.kind, variables };
  if (secret.kind === 'headers') return { kind: secret.kind, headers };
  const { issuer = null, tokenEndpoint = null, clientId = null, scopes = [], resource = null, exchange } = oauth ?? {};
  return { kind: secret.kind, issuer, tokenEndpoint, clientId, scopes, resource, ...(exchange !== undefined && { exchange }) };
}
