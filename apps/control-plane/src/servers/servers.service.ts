import { Inject, Injectable } from '@nestjs/common';
import type { ResumeServer } from '@portcullis/contracts/api/drift';
import type { CreateServer, ListServersQuery, Server, ServerPage, ServerTransport, UpdateServer } from '@portcullis/contracts/api/servers';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Server as ServerColumns, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { only, PolicyChanges, type Changed, type Dirty, type PolicyChange } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { identifyAll } from '../database/identify-all.js';
import { orConflict } from '../database/or-conflict.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { proposeProfile } from '../launch/launch-profiles.repository.js';
import { requireNoSecret } from '../launch/require-launch.js';
import { addressAfter, beginAsAnother, turnsAround } from './change-transport.js';
import { forgetSightings } from './definitions.repository.js';
import { requireServerUrl } from './require-server-url.js';
import { serverAnswerRulesOf } from './server-answer-rules.js';
import { serverCaptureOf } from './server-capture.js';
import { requireTransport } from './require-transport.js';
import {
  deleteServer,
  findServer,
  findServers,
  insertServer,
  listServers,
  resumeServer,
  updateServers,
  type ServerRow,
} from './servers.repository.js';
import { stdioUrl } from './stdio-url.js';
import { toServer } from './to-server.js';

/** A change that many make together. */
export interface ServerUpdate {
  readonly server: string;
  readonly change: UpdateServer;
}

interface UpdatedServer {
  readonly id: string;
  /** Whether something else may answer there now. */
  readonly isMoved: boolean;
}

type UpdatedColumns = Partial<ServerColumns> & Pick<ServerColumns, 'id'>;

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

  async create(author: Author, { reason, approve, name, transport, url, profile, ...rest }: CreateServer): Promise<Changed<Server>> {
    const fields = { ...rest, url: url ?? stdioUrl(rest.slug), transportPin: transport };
    if (url !== undefined) requireServerUrl(url);
    if (profile !== undefined) requireNoSecret(profile);
    requireTransport(fields);
    // A program is asked when a runner has it.
    const nextDiscoveryAt = url === undefined ? null : new Date();
    const data = { ...fields, name: name ?? fields.slug, approveFirstDiscovery: approve === 'all', nextDiscoveryAt };
    const work = this.changes.apply(author, 'server.created', reason, async (tx) => {
      const { id } = await insertServer(tx, data);
      const proposed = profile && (await proposeProfile(tx, id, profile, { name: author.name, reason }));
      const change = { ...fields, name: data.name, approve, ...(proposed && { profile: { ...proposed, profile } }) };
      return { result: id, subject: { kind: 'server', id, slug: fields.slug }, change, dirty: [serverBucket(id)] };
    });
    const { result: id, revision } = await orConflict(work, `There is a server ${fields.slug} already.`);
    if (url !== undefined) await this.discovery.start(id);
    return { result: await this.read(id), revision };
  }

  /**
   * A server with another URL, protocol or transport is asked again at once. Who answers at another URL may be somebody else: nothing of it is served until
   * discovery has found there exactly what was approved.
   */
  async update(author: Author, server: string, change: UpdateServer): Promise<Changed<Server>> {
    const { result, revision } = await this.changes.apply(author, 'server.updated', change.reason, async (tx) =>
      only(await this.updateAllIn(tx, [{ server, change }])),
    );
    await this.askMoved([result]);
    return { result: await this.read(result.id), revision };
  }

  /** Changes many as part of one change, in their order. Those that moved are to be asked again when it is made. */
  async updateAllIn(tx: Transaction, updates: readonly ServerUpdate[]): Promise<PolicyChange<UpdatedServer>[]> {
    const identified = await identifyAll(
      tx,
      'server',
      updates.map(({ server }) => server),
    );
    const ids = updates.map(({ server }) => identified(server).id);
    const rows = new Map((await findServers(tx, [...new Set(ids)])).map((row) => [row.id, row]));
    const written = new Map<string, UpdatedColumns>();
    const turned: string[] = [];
    const done = updates.map(({ server, change: { reason: _reason, transport, url: wantedUrl, ...rest } }): PolicyChange<UpdatedServer> => {
      const row = rows.get(identified(server).id);
      if (row === undefined) throw notFound('server');
      if (wantedUrl !== undefined) requireServerUrl(wantedUrl);
      const url = addressAfter(row, { url: wantedUrl, transport });
      if (turnsAround(row, { transport })) turned.push(row.id);
      const wanted = { ...rest, ...(transport === undefined ? {} : { transportPin: transport }), ...(url === undefined ? {} : { url }) };
      const change = differing({ ...row, auditCapture: serverCaptureOf(row), answerRules: serverAnswerRulesOf(row) }, wanted);
      if (Object.keys(change).length === 0) return { result: { id: row.id, isMoved: false }, unchanged: true };
      requireTransport({ ...row, ...change });
      const isMoved = change.url !== undefined || change.protocol !== undefined || change.transportPin !== undefined;
      const columns = { id: row.id, ...columnsOf(change, isMoved), updatedAt: new Date() };
      rows.set(row.id, { ...row, ...columns });
      written.set(row.id, { ...written.get(row.id), ...columns });
      return { result: { id: row.id, isMoved }, subject: serverSubject(row), change, dirty: [serverBucket(row.id)] };
    });
    await updateServers(tx, [...written.values()]);
    for (const { id, url } of written.values()) if (url !== undefined) await forgetSightings(tx, id);
    for (const id of turned) await beginAsAnother(tx, id);
    return done;
  }

  /** Has those servers discovered that moved. */
  async askMoved(updated: readonly UpdatedServer[]): Promise<void> {
    for (const { id, isMoved } of updated) if (isMoved) await this.discovery.start(id);
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

export const serverSubject = ({ id, slug }: Pick<ServerRow, 'id' | 'slug'>): Subject => ({ kind: 'server', id, slug });

type ServerChange = Omit<UpdateServer, 'reason' | 'transport'> & { readonly transportPin?: ServerTransport };

/** Named one by one, so that a column added later is not open to whatever a request brings. */
function columnsOf(change: ServerChange, isMoved: boolean): Partial<ServerColumns> {
  const {
    url,
    name,
    protocol,
    transportPin,
    tags,
    environment,
    description,
    refreshIntervalSeconds,
    keepServing,
    driftBudgetPerDay,
    auditCapture,
    answerRules,
    enabled,
  } = change;
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
    ...(auditCapture === undefined ? {} : { auditCapture }),
    ...(answerRules === undefined ? {} : { answerRules }),
    // A disabled server is left alone until somebody asks for it.
    ...(enabled === undefined ? {} : { enabled, nextDiscoveryAt: enabled ? new Date() : null }),
    // Whatever another address spoke, and how, says nothing of this one.
    ...(isMoved ? { era: null, bothEras: false, eraSeenAt: null, transport: 'streamable-http', nextDiscoveryAt: new Date() } : {}),
  };
}
