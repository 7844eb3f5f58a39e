import { Inject, Injectable } from '@nestjs/common';
import type { ResumeServer } from '@portcullis/contracts/api/drift';
import type { CreateServer, ListServersQuery, Server, ServerPage, ServerTransport, UpdateServer } from '@portcullis/contracts/api/servers';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Prisma, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { PolicyChanges, type Changed, type Dirty } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { orConflict } from '../database/or-conflict.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { forgetSightings } from './definitions.repository.js';
import { requireServerUrl } from './require-server-url.js';
import { requireTransport } from './require-transport.js';
import { deleteServer, findServer, insertServer, listServers, resumeServer, updateServer, type ServerRow } from './servers.repository.js';
import { toServer } from './to-server.js';

/** Registered servers. Registering or moving one has it discovered; nothing it offers is visible to agents before approval. */
@Injectable()
export class ServersService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
  ) {}

  async list(query: ListServersQuery): Promise<z.infer<typeof ServerPage>> {
    const [after] = decodeCursor(query.cursor, TextCursor) ?? [];
    return pageFrom(await listServers(this.database, query, after), query.limit, toServer, ({ slug }) => [slug]);
  }

  async read(reference: string): Promise<Server> {
    return toServer(await this.find(this.database, reference));
  }

  /** The row behind a UUID or slug; refuses (404) what does not exist. */
  async find(db: PrismaClient | Transaction, reference: string): Promise<ServerRow> {
    const row = await findServer(db, reference);
    if (row === null) throw notFound('server');
    return row;
  }

  async create(author: Author, { reason, approve, name, transport, ...rest }: CreateServer): Promise<Changed<Server>> {
    const fields = { ...rest, transportPin: transport };
    requireServerUrl(fields.url);
    requireTransport(fields);
    const data = { ...fields, name: name ?? fields.slug, approveFirstDiscovery: approve === 'all', nextDiscoveryAt: new Date() };
    const work = this.changes.apply(author, 'server.created', reason, async (tx) => {
      const { id } = await insertServer(tx, data);
      const change = { ...fields, name: data.name, approve };
      return { result: id, subject: { kind: 'server', id, slug: fields.slug }, change, dirty: [serverBucket(id)] };
    });
    const { result: id, revision } = await orConflict(work, `There is a server ${fields.slug} already.`);
    await this.discovery.start(id);
    return { result: await this.read(id), revision };
  }

  /**
   * A server with another URL, protocol or transport is asked again at once. Who answers at another URL may be somebody else: nothing of it is served until
   * discovery has found there exactly what was approved.
   */
  async update(author: Author, reference: string, { reason, transport, ...rest }: UpdateServer): Promise<Changed<Server>> {
    const wanted = { ...rest, ...(transport === undefined ? {} : { transportPin: transport }) };
    if (wanted.url !== undefined) requireServerUrl(wanted.url);
    const { result, revision } = await this.changes.apply(author, 'server.updated', reason, async (tx) => {
      const row = await this.find(tx, reference);
      const change = differing(row, wanted);
      if (Object.keys(change).length === 0) return { result: { id: row.id, isMoved: false }, unchanged: true };
      requireTransport({ ...row, ...change });
      const isMoved = change.url !== undefined || change.protocol !== undefined || change.transportPin !== undefined;
      await updateServer(tx, row.id, columnsOf(change, isMoved));
      if (change.url !== undefined) await forgetSightings(tx, row.id);
      return { result: { id: row.id, isMoved }, subject: serverSubject(row), change, dirty: [serverBucket(row.id)] };
    });
    if (result.isMoved) await this.discovery.start(result.id);
    return { result: await this.read(result.id), revision };
  }

  /** Ends a suspension: what is approved is served again, and changes are counted from now on. Refuses (409) a server that is not suspended. */
  async resume(author: Author, reference: string, { reason }: ResumeServer): Promise<Changed<Server>> {
    const { result: id, revision } = await this.changes.apply(author, 'server.resumed', reason, async (tx) => {
      const row = await this.find(tx, reference);
      if (row.suspendedAt === null) throw new ProblemError('conflict', `${row.slug} is not suspended.`);
      await resumeServer(tx, row.id);
      const change = { suspendedAt: row.suspendedAt.toISOString(), suspendedReason: row.suspendedReason };
      return { result: row.id, subject: serverSubject(row), change, dirty: [serverBucket(row.id)] };
    });
    await this.discovery.start(id);
    return { result: await this.read(id), revision };
  }

  async delete(author: Author, reference: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'server.deleted', undefined, async (tx) => {
      const row = await this.find(tx, reference);
      const subjects = await deleteServer(tx, row.id);
      const dirty: Dirty[] = [serverBucket(row.id), ...subjects.map((id) => ({ kind: 'grants', bucket: bucketOf(id) }) as const)];
      return { result: undefined, subject: serverSubject(row), change: { deleted: true, grants: subjects.length }, dirty };
    });
  }
}

export const serverBucket = (id: string): Dirty => ({ kind: 'servers', bucket: bucketOf(id) });

export const serverSubject = ({ id, slug }: ServerRow): Subject => ({ kind: 'server', id, slug });

type ServerChange = Omit<UpdateServer, 'reason' | 'transport'> & { readonly transportPin?: ServerTransport };

/** Named one by one, so that a column added later is not open to whatever a request brings. */
function columnsOf(change: ServerChange, isMoved: boolean): Prisma.ServerUpdateInput {
  const { url, name, protocol, transportPin, tags, environment, description, refreshIntervalSeconds, keepServing, driftBudgetPerDay, enabled } =
    change;
  return {
    ...(url === undefined ? {} : { url }),
    ...(name === undefined ? {} : { name }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(transportPin === undefined ? {} : { transportPin }),
    ...(tags === undefined ? {} : { tags }),
    ...(environment === undefined ? {} : { environment }),
    ...(description === undefined ? {} : { description }),
    ...(refreshIntervalSeconds === undefined ? {} : { refreshIntervalSeconds }),
    ...(keepServing === undefined ? {} : { keepServing }),
    ...(driftBudgetPerDay === undefined ? {} : { driftBudgetPerDay }),
    // A disabled server is left alone until somebody asks for it.
    ...(enabled === undefined ? {} : { enabled, nextDiscoveryAt: enabled ? new Date() : null }),
    // Whatever another address spoke, and how, says nothing of this one.
    ...(isMoved ? { era: null, bothEras: false, eraSeenAt: null, transport: 'streamable-http', nextDiscoveryAt: new Date() } : {}),
  };
}
