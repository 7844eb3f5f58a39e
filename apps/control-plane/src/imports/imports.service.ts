import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { CreateImportQuery, Import, ImportPage, ImportRowPage, ListImportRowsQuery, PullRegistry } from '@portcullis/contracts/api/imports';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { PrismaClient, type Import as ImportRecord } from '@portcullis/database';
import { v7 } from 'uuid';
import { z } from 'zod';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { orConflict } from '../database/or-conflict.js';
import type { StreamedBody } from '../http/accept-streams.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { PlacesAtOnce } from '../http/places-at-once.js';
import { notFound, ProblemError } from '../http/problem.js';
import { endImport, findImport, forgetOldRows, lastPullFrom, listImportRows, listImports } from './imports.repository.js';
import { ImportParts } from './import-parts.js';
import { ImportSettings } from './import-settings.js';
import { openBody } from './open-body.js';
import { openSource } from './open-source.js';
import { pullRegistry } from './pull-registry.js';
import { runImport } from './run-import.js';
import type { SourceRow } from './source-row.js';
import { toImport, toImportRow } from './to-import.js';

type NewImport = Pick<ImportRecord, 'source' | 'origin' | 'dryRun'> & Partial<Pick<ImportRecord, 'id' | 'url' | 'updatedSince'>>;

const NumberCursor = z.tuple([z.int32().min(0)]);
/** Each holds a batch in memory and queues for the lock of policy. */
const RUNNING_MAX = 4;

/** Bulk registration. An import runs in the process that took it; its state lies in the database, where every process can see and end it. */
@Injectable()
export class ImportsService implements BeforeApplicationShutdown {
  private readonly logger = new Logger('imports');
  private readonly running = new Map<string, () => void>();
  private readonly places = new PlacesAtOnce(RUNNING_MAX, () => new ProblemError('rate_limited', `${RUNNING_MAX} imports are running here already.`));

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly records: RecordedChanges,
    @Inject(ImportSettings) private readonly settings: ImportSettings,
    @Inject(ImportParts) private readonly parts: ImportParts,
  ) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof ImportPage>> {
    const [before] = decodeCursor(cursor, IdCursor) ?? [];
    return pageFrom(await listImports(this.database, limit, before), limit, toImport, ({ id }) => [id]);
  }

  async read(id: string): Promise<Import> {
    const row = await findImport(this.database, id);
    if (row === null) throw notFound('import');
    return toImport(row);
  }

  async rows(id: string, { cursor, limit, state }: ListImportRowsQuery): Promise<z.infer<typeof ImportRowPage>> {
    await this.read(id);
    const [after] = decodeCursor(cursor, NumberCursor) ?? [];
    const found = await listImportRows(this.database, id, { state: state === 'error' ? 'failed' : state, limit, after });
    return pageFrom(found, limit, toImportRow, ({ number }) => [number]);
  }

  /** Registers what the body holds, as it comes, and answers when it has ended, one way or another. */
  async receive(author: Author, query: CreateImportQuery, { stream, contentType }: StreamedBody): Promise<Import> {
    const { source, rows } = openSource(query.source, contentType);
    const wanted = { source, origin: query.origin, dryRun: query.dryRun === 'true', ...(query.id === undefined ? {} : { id: query.id }) };
    return this.places.during(async () => {
      const record = await this.begin(author, wanted);
      const body = openBody(stream, this.settings.silenceMs);
      await this.run(author, record, rows(body.chunks), body.stop);
      body.stop();
      await body.discard();
      return this.read(record.id);
    });
  }

  /** Fetches a registry's list. Answers at once; how it goes on is read from the import. */
  async pull(author: Author, { url = this.settings.registryUrl, updatedSince, dryRun }: PullRegistry): Promise<Import> {
    if (url === undefined)
      throw new ProblemError('unprocessable', 'This installation has no registry of its own (PORTCULLIS_REGISTRY_URL). Name one with url.');
    const { host, username, password } = new URL(url);
    if (username !== '' || password !== '' || !this.settings.egress.checkUrl(url).ok)
      throw new ProblemError('validation', undefined, [{ pointer: '/url', detail: 'is no address that the control plane may go to' }]);
    const since = updatedSince === 'last' ? await lastPullFrom(this.database, url) : updatedSince === undefined ? null : new Date(updatedSince);
    const leave = this.places.take();
    try {
      const record = await this.begin(author, { source: 'registry', origin: host, dryRun, url, updatedSince: since });
      const stop = new AbortController();
      const rows = pullRegistry((address, init) => this.settings.egress.fetch(address, init), url, since, stop.signal);
      void this.run(author, record, rows, () => stop.abort()).finally(leave);
      return toImport(record);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Whatever was written stays; nothing is written from now on. An import that has ended is left as it is. */
  async cancel(author: Author, id: string): Promise<Import> {
    await this.records.apply(author, 'import.cancelled', async (tx) => {
      const isCancelled = await endImport(tx, id, 'cancelled', null);
      if (!isCancelled) return { result: undefined, unchanged: true };
      return { result: undefined, subject: { kind: 'import', id }, change: { state: 'cancelled' } };
    });
    return this.read(id);
  }

  /** Leaves no import behind that looks as if it ran. */
  async beforeApplicationShutdown(): Promise<void> {
    const ids = [...this.running.keys()];
    await Promise.all(ids.map((id) => endImport(this.database, id, 'interrupted', 'The control plane was stopped.').catch(() => undefined)));
    for (const stop of this.running.values()) stop();
  }

  private async begin(author: Author, wanted: NewImport): Promise<ImportRecord> {
    await forgetOldRows(this.database);
    const id = wanted.id ?? v7();
    const work = this.records.apply(author, 'import.created', async (tx) => {
      const result = await tx.import.create({ data: { ...wanted, id, createdBy: author.name } });
      const { source, origin, dryRun, url } = result;
      return { result, subject: { kind: 'import', id }, change: { source, origin, dryRun, url } };
    });
    return orConflict(work, 'There is an import with this id already.');
  }

  /** Never rejects: how it ended is written down. */
  private async run(author: Author, record: ImportRecord, rows: AsyncIterable<SourceRow>, stop: () => void): Promise<void> {
    const { id, source, origin, dryRun: isDryRun, createdAt: startedAt } = record;
    this.running.set(id, stop);
    try {
      const run = {
        id,
        source: `${source}/${origin}`,
        author,
        isDryRun,
        startedAt,
        vault: this.parts.vault,
        created: 0,
        promised: new Set<string>(),
      };
      const ending = await runImport(this.parts, run, rows, this.settings.rowsMax);
      if (ending !== null) await endImport(this.database, id, ending.state, ending.detail);
    } catch (error) {
      this.logger.error({ msg: 'An import could not be carried on', import: id, error: error instanceof Error ? error.stack : String(error) });
      await endImport(this.database, id, 'failed', 'The control plane could not carry it on.').catch(() => undefined);
    } finally {
      this.running.delete(id);
      stop();
    }
  }
}
