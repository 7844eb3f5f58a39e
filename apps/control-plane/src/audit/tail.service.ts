import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { AuditTailQuery } from '@portcullis/contracts/api/audit-reports';
import type { Author } from '../changes/author.js';
import { PlacesAtOnce } from '../http/places-at-once.js';
import { ProblemError } from '../http/problem.js';
import { AuditReading } from './audit-reading.js';
import { readTail, tailEnd, type TailPlace } from './tail.repository.js';
import { visibleText } from '../http/visible-text.js';
import { toRecord } from './to-record.js';

const TAILS_MAX = 20;
const LOOK_EVERY_MS = 500;
const HEARTBEAT_MS = 15_000;
/** Then the client comes again, and its token is looked at again. */
const TAIL_MS = 600_000;

const placeFormat = /^(\d{1,18})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** Calls as they are stored, as server-sent events: one when a call is known, another when its outcome is. */
@Injectable()
export class TailService implements OnApplicationShutdown {
  private readonly places = new PlacesAtOnce(
    TAILS_MAX,
    () => new ProblemError('unavailable', `${TAILS_MAX} tails are open here. Try again when one has ended.`),
  );
  private readonly stopping = new AbortController();

  constructor(@Inject(AuditReading) private readonly audit: AuditReading) {}

  onApplicationShutdown(): void {
    this.stopping.abort();
  }

  /** From now on, or behind `lastEventId`. */
  async open(author: Author, filter: AuditTailQuery, lastEventId: string | undefined): Promise<Readable> {
    const wanted = lastEventId === undefined ? undefined : placeOf(lastEventId);
    return this.places.whileOpen(async () => {
      const now = await this.audit.reading(author, { tail: filter, lastEventId }, tailEnd);
      // A number that is still to come is of another database, such as the one before a restore.
      const place = wanted === undefined || wanted.tx > now.tx ? now : wanted;
      return Readable.from(this.events(filter, place), { objectMode: false, highWaterMark: 65_536 });
    });
  }

  private async *events(filter: AuditTailQuery, from: TailPlace): AsyncGenerator<string> {
    const endsAt = Date.now() + TAIL_MS;
    let place = from;
    let saidAt = Date.now();
    yield `retry: 1000\nid: ${idOf(place)}\n\n`;
    while (Date.now() < endsAt && !this.stopping.signal.aborted) {
      const at = place;
      const part = await this.audit.bounded((tx) => readTail(tx, filter, at));
      place = part.place;
      const told = part.calls.map(
        (row) => `id: ${idOf({ tx: row.stored_tx, callId: row.call_id })}\ndata: ${visibleText(JSON.stringify(toRecord(row)))}\n\n`,
      );
      if (told.length > 0 || Date.now() - saidAt >= HEARTBEAT_MS) {
        saidAt = Date.now();
        // An event without data is not told to the receiver, but is remembered as the last one.
        yield `${told.join('')}id: ${idOf(place)}\n\n`;
      }
      if (!part.more) await pause(LOOK_EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }
}

const idOf = ({ tx, callId }: TailPlace): string => `${tx}.${callId}`;

function placeOf(lastEventId: string): TailPlace {
  const [, tx, callId] = placeFormat.exec(lastEventId) ?? [];
  if (tx === undefined || callId === undefined)
    throw new ProblemError('validation', undefined, [{ pointer: '/last-event-id', detail: 'is of no tail' }]);
  return { tx: BigInt(tx), callId };
}
