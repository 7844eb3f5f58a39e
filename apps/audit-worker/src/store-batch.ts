import type { AuditBatch } from '@portcullis/contracts/audit';
import { sanitiseEvent, type DecodedBatch, type UnreadableEvent } from '@portcullis/audit';
import type { PrismaClient } from '@portcullis/database';
import { rowOf, stubRowOf, type EventFrame, type EventRow } from './event-row.js';
import { isPoison } from './is-poison.js';

/** So old days are not dropped: retention keeps a week at least. */
const REMEMBERED_MS = 3 * 86_400_000;

/** Kept of a job that may be anybody's. */
const JOB_BYTES_MAX = 512 * 1024;

/** Writes batches into `audit_event`, each event once, however often a batch is delivered. */
export class BatchStore {
  private readonly knownDays = new Set<string>();

  constructor(
    private readonly database: PrismaClient,
    private readonly now: () => number,
  ) {}

  /**
   * Stores the batch and the fact that its range is complete, together. An event that Postgres refuses goes to quarantine and leaves
   * a stub row; the others are stored. Throws when Postgres is not to be had: the queue then tries again.
   */
  async store(decoded: DecodedBatch): Promise<void> {
    const { batch, unreadable } = decoded;
    const rows = rowsOf(decoded);
    for (const event of unreadable) await this.quarantine(batch, event, 'unreadable');
    const stubs = unreadable.map((event) => this.stubOf(decoded, event));
    const all = [...rows, ...stubs];
    await this.ensureDays(all);
    try {
      await this.insert(all, [batch]);
    } catch (error) {
      if (!isPoison(error)) throw error;
      await this.bisect(decoded, all);
      await this.insert([], [batch]);
    }
  }

  /** Stores batches that hold nothing unreadable in one statement. Where Postgres refuses any of their values it throws and has stored nothing. */
  async storeAll(all: readonly DecodedBatch[]): Promise<void> {
    const rows = all.flatMap(rowsOf);
    await this.ensureDays(rows);
    await this.insert(
      rows,
      all.map(({ batch }) => batch),
    );
  }

  /** Keeps a job that is no batch, or not of the node it names, as its raw bytes. */
  async quarantineJob(data: unknown, reason: string): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(data) ?? '').subarray(0, JOB_BYTES_MAX);
    await this.database.auditQuarantine.create({ data: { node: 'unknown', boot: 'unknown', reason, bytes } });
  }

  private async bisect(decoded: DecodedBatch, rows: readonly EventRow[]): Promise<void> {
    const [only] = rows;
    if (!only) return;
    try {
      await this.insert(rows, []);
      return;
    } catch (error) {
      if (!isPoison(error)) throw error;
      if (rows.length === 1) {
        const seq = Number(only['seq']);
        const event = { seq, bytes: frameAt(decoded, seq).payload };
        await this.quarantine(decoded.batch, event, String(error));
        await this.insertStub(this.stubOf(decoded, event));
        return;
      }
    }
    const middle = rows.length >> 1;
    await this.bisect(decoded, rows.slice(0, middle));
    await this.bisect(decoded, rows.slice(middle));
  }

  private async quarantine(batch: AuditBatch, event: UnreadableEvent, reason: string): Promise<void> {
    const { node, boot } = batch;
    const known = await this.database.auditQuarantine.findFirst({ where: { node, boot, seq: event.seq } });
    if (!known) {
      await this.database.auditQuarantine.create({
        data: { node, boot, seq: event.seq, reason: reason.slice(0, 500), bytes: Uint8Array.from(event.bytes) },
      });
    }
  }

  private stubOf(decoded: DecodedBatch, event: UnreadableEvent): EventRow {
    return stubRowOf(decoded.batch, event, { at: this.now(), hash: frameAt(decoded, event.seq).hash });
  }

  private async insertStub(stub: EventRow): Promise<void> {
    await this.ensureDays([stub]);
    await this.insert([stub], []);
  }

  private async ensureDays(rows: readonly EventRow[]): Promise<void> {
    const days = new Set(rows.map(({ day }) => day));
    for (const day of days) {
      // An older day may have been dropped since.
      if (this.knownDays.has(day) && Date.parse(day) > this.now() - REMEMBERED_MS) continue;
      await this.database.$executeRaw`SELECT audit_ensure_day(${day}::date)`;
      this.knownDays.add(day);
    }
  }

  private async insert(rows: readonly EventRow[], complete: readonly AuditBatch[]): Promise<void> {
    await this.database.$executeRaw`
      WITH stored AS (
        INSERT INTO audit_event (day, node, boot, seq, id, call_id, phase, at, method, agent_id, agent, key_id, operator, server_id, server, tool,
          definition_hash, decision, reason, grant_id, epoch, revision, status, duration_us, upstream_us, era, trace_id,
          arguments_hash, arguments_bytes, arguments, result_hash, result_bytes, result_summary, truncated, shadow_decision, shadow_grant_id,
          task, on_behalf_of, claimed_agent, units, arguments_capture, result_capture, retries, hash, frame)
        SELECT day, node, boot, seq, id, call_id, phase, to_timestamp(at / 1000.0), method, agent_id, agent, key_id, operator, server_id, server, tool,
          definition_hash, decision, reason, grant_id, epoch, revision, status, duration_us, upstream_us, era, trace_id,
          arguments_hash, arguments_bytes, decode(arguments, 'base64'), result_hash, result_bytes, decode(result_summary, 'base64'), truncated,
          shadow_decision, shadow_grant_id, task, on_behalf_of, claimed_agent, units, arguments_capture, result_capture, retries,
          decode(hash, 'base64'), decode(frame, 'base64')
        FROM json_to_recordset(${JSON.stringify(rows)}::json) AS event (
          day date, node text, boot uuid, seq bigint, id uuid, call_id uuid, phase text, at double precision, method text, agent_id uuid, agent text,
          key_id text, operator text, server_id uuid, server text, tool text, definition_hash text, decision text, reason text, grant_id uuid,
          epoch int, revision int, status text, duration_us bigint, upstream_us bigint, era text, trace_id text, arguments_hash text,
          arguments_bytes int, arguments text, result_hash text, result_bytes bigint, result_summary text, truncated boolean,
          shadow_decision text, shadow_grant_id uuid, task text, on_behalf_of text, claimed_agent text, units jsonb, arguments_capture text,
          result_capture text, retries smallint, hash text, frame text)
        ON CONFLICT DO NOTHING
      )
      INSERT INTO audit_range (node, boot, first_seq, last_seq)
      SELECT node, boot, first_seq, last_seq
      FROM json_to_recordset(${JSON.stringify(rangesOf(complete))}::json) AS complete (node text, boot uuid, first_seq bigint, last_seq bigint)
      ON CONFLICT (node, boot, first_seq) DO UPDATE SET last_seq = greatest(audit_range.last_seq, excluded.last_seq)`;
  }
}

function frameAt({ batch, frames }: DecodedBatch, seq: number): EventFrame {
  const frame = frames[seq - batch.firstSeq];
  if (frame === undefined) throw new Error(`No frame ${seq} in a batch from ${batch.firstSeq}`);
  return frame;
}

const rowsOf = (decoded: DecodedBatch): EventRow[] =>
  decoded.events.map((event) => rowOf(decoded.batch, sanitiseEvent(event), frameAt(decoded, event.seq)));

/** The ranges of batches; of two that begin alike, such as one that was sent twice, the longer. */
function rangesOf(batches: readonly AuditBatch[]): object[] {
  const ranges = new Map<string, { node: string; boot: string; first_seq: number; last_seq: number }>();
  for (const { node, boot, firstSeq, lastSeq } of batches) {
    const key = `${boot} ${String(firstSeq)} ${node}`;
    const last = Math.max(lastSeq, ranges.get(key)?.last_seq ?? 0);
    ranges.set(key, { node, boot, first_seq: firstSeq, last_seq: last });
  }
  return [...ranges.values()];
}
