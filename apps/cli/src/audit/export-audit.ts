import { createReadStream } from 'node:fs';
import { open, stat, truncate } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, type ApiClient } from '@portcullis/api-client';
import type { AuditExportQuery } from '@portcullis/contracts/api/audit-reports';
import { CliError, messageOf } from '../cli-error.js';
import { plainLines } from '../plain-text.js';
import type { Say } from '../progress.js';
import { WholeRecords } from './whole-records.js';

export interface ExportOptions {
  readonly query: AuditExportQuery;
  /** A file; undefined: standard output. */
  readonly out: string | undefined;
  /** Goes on behind what is in the file. */
  readonly resume: boolean;
}

/** Where whole records go. */
export interface RecordSink {
  write(records: Uint8Array): Promise<void>;
}

/** What agents sent and were given is nobody else's to read. */
const OWNER_ONLY = 0o600;
const ATTEMPTS = 6;
const PAUSE_MS = 1000;

/** Writes every call that matches. A connection that breaks is taken up again behind the last whole record, at most five times without a further one. */
export async function exportAudit({ query, out, resume }: ExportOptions, api: ApiClient, say: Say): Promise<void> {
  if (out === undefined) return exportTo({ query, sink: { write: process.stdout.isTTY ? showOnTerminal : writeToStdout } }, api, say);
  const after = resume ? await endOf(out, query.format) : undefined;
  const file = await open(out, resume ? 'a' : 'wx', OWNER_ONLY).catch((error: unknown) => {
    throw new CliError(
      isExisting(error) ? `${out} exists. Give --resume to go on behind what is in it.` : `${out} cannot be written: ${messageOf(error)}`,
    );
  });
  try {
    const sink = { write: (records: Uint8Array) => file.appendFile(records) };
    await exportTo({ query: after === undefined ? query : { ...query, after }, sink }, api, say);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The same into any sink. */
export async function exportTo({ query, sink }: { query: AuditExportQuery; sink: RecordSink }, api: ApiClient, say: Say): Promise<void> {
  let after = query.after;
  for (let attempt = 1; ; attempt += 1) {
    const records = new WholeRecords(query.format);
    try {
      const bytes = await api.audit.export(after === undefined ? query : { ...query, after });
      for await (const chunk of bytes) {
        const whole = records.push(chunk);
        if (whole.length > 0) await sink.write(whole);
      }
      return;
    } catch (error) {
      if (records.lastCallId !== undefined) {
        after = records.lastCallId;
        attempt = 0;
      }
      const isOurs = error instanceof CliError || (error instanceof ApiError && error.status >= 400 && error.status < 500);
      // A heading alone is no record to go on behind: it would be written twice.
      if (isOurs || attempt >= ATTEMPTS || (records.bytes > 0 && records.lastCallId === undefined)) throw error;
      say(`The export broke off (${messageOf(error)}); it goes on${after === undefined ? '' : ` behind ${after}`}.`);
      await pause(PAUSE_MS);
    }
  }
}

/** The last call in the file, which is cut behind it. */
async function endOf(path: string, format: AuditExportQuery['format']): Promise<string | undefined> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size === 0) return undefined;
  const records = new WholeRecords(format);
  for await (const chunk of createReadStream(path)) records.push(chunk as Buffer);
  if (records.lastCallId === undefined) throw new CliError(`There is no whole call of an export as ${format} in ${path}.`);
  if (records.bytes < size) await truncate(path, records.bytes);
  return records.lastCallId;
}

const isExisting = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';

/** Names are foreign words, and a terminal obeys some. Records are whole, so no character is cut. */
const showOnTerminal = (records: Uint8Array): Promise<void> => writeToStdout(Buffer.from(plainLines(Buffer.from(records).toString('utf8'))));
const writeToStdout = (records: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(records, (error) => (error ? reject(new CliError(`Standard output was closed: ${messageOf(error)}`)) : resolve()));
  });
