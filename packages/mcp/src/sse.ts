/** One event of a Server-Sent Events stream. */
export interface SseEvent<Known = never> {
  /** The event type; `message` when none was named. */
  readonly event: string;
  readonly data: string;
  /** The last event id in force, if any was sent. */
  readonly id: string | undefined;
  /** What its data was known as, which then is not given as text. It may lie in the bytes that were pushed last, and holds until others are. */
  readonly known?: Known;
}

/** Why a stream was given up: a line or an event over its limit, or bytes that are not UTF-8. */
export type SseFault = 'line_too_long' | 'event_too_large' | 'not_utf8';

/** Limits of a stream, in bytes. */
export interface SseLimits {
  readonly lineBytesMax: number;
  readonly eventBytesMax: number;
}

/** Reads a stream piece by piece. */
export interface SseParser<Known = never> {
  /** Takes the next bytes and gives the events they complete. After a fault it gives none. */
  push(chunk: Uint8Array): SseEvent<Known>[];
  /** Set once the stream broke a limit; what came before was delivered. */
  readonly fault: SseFault | undefined;
  /** The `id` in force, for `Last-Event-ID`. */
  readonly lastEventId: string | undefined;
  /** What is in memory of an event that is not whole yet. */
  readonly heldBytes: number;
  /** The reconnection time asked for by the last `retry` field, in milliseconds. */
  readonly retryMs: number | undefined;
}

/** 1 MiB a line, 10 MiB an event. */
export const DEFAULT_SSE_LIMITS: SseLimits = { lineBytesMax: 1024 * 1024, eventBytesMax: 10 * 1024 * 1024 };

/** A comment frame that keeps an idle stream open. */
export const SSE_KEEP_ALIVE = ': keep-alive\n\n';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DATA = Uint8Array.of(0x64, 0x61, 0x74, 0x61, 0x3a);
const NOTHING = new Uint8Array(0);
// A cap on the field, since it delays reconnection: one day.
const RETRY_MS_MAX = 86_400_000;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Starts reading a stream (HTML §9.2 Server-sent events). The same bytes give the same events however they are chunked. `know` is shown the data of
 * events that have one line of it, as bytes; what it knows, which has to be UTF-8, becomes no text.
 */
export function createSseParser<Known = never>(
  limits: SseLimits = DEFAULT_SSE_LIMITS,
  know?: (data: Uint8Array) => Known | undefined,
): SseParser<Known> {
  return new IncrementalSseParser(limits, know);
}

class IncrementalSseParser<Known> implements SseParser<Known> {
  fault: SseFault | undefined;
  lastEventId: string | undefined;
  retryMs: number | undefined;
  readonly #limits: SseLimits;
  // An unfinished line: one growing buffer, so that a stream dripping single bytes cannot pile up objects.
  #pending: Uint8Array = NOTHING;
  #lent: Uint8Array = NOTHING;
  #pendingBytes = 0;
  #skipLf = false;
  #first = true;
  #event = '';
  // Counts when its event is whole: who goes on behind an event of which only the id came would lose it.
  #id: string | undefined;
  #data: string[] = [];
  #dataBytes = 0;
  readonly #know: ((data: Uint8Array) => Known | undefined) | undefined;
  #known: Known | undefined;
  #knownData: Uint8Array = NOTHING;

  constructor(limits: SseLimits, know: ((data: Uint8Array) => Known | undefined) | undefined) {
    this.#limits = limits;
    this.#know = know;
  }

  get heldBytes(): number {
    return this.#pendingBytes + this.#dataBytes;
  }

  push(chunk: Uint8Array): SseEvent<Known>[] {
    const events: SseEvent<Known>[] = [];
    // The LF of a CRLF may be the first byte of the next chunk.
    let start = this.#skipLf && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) this.#skipLf = false;
    let lf = chunk.indexOf(LF, start);
    let cr = chunk.indexOf(CR, start);
    while ((lf >= 0 || cr >= 0) && this.fault === undefined) {
      const end = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
      this.#line(chunk.subarray(start, end), events);
      start = end + 1;
      if (end === cr) {
        this.#skipLf = start === chunk.length;
        if (chunk[start] === LF) start += 1;
        cr = chunk.indexOf(CR, start);
      }
      if (lf >= 0 && lf < start) lf = chunk.indexOf(LF, start);
    }
    this.#forgetKnown();
    if (this.fault === undefined && start < chunk.length) this.#keep(chunk.subarray(start));
    return events;
  }

  #keep(rest: Uint8Array): void {
    const bytes = this.#pendingBytes + rest.length;
    if (bytes > this.#limits.lineBytesMax) return this.#fail('line_too_long');
    if (bytes > this.#pending.length) {
      const grown = new Uint8Array(Math.max(256, bytes, this.#pending.length * 2));
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    this.#pending.set(rest, this.#pendingBytes);
    this.#pendingBytes = bytes;
  }

  #line(tail: Uint8Array, events: SseEvent<Known>[]): void {
    let bytes = tail;
    const hasBegun = this.#pendingBytes > 0;
    if (hasBegun) {
      this.#keep(tail);
      if (this.fault !== undefined) return;
      bytes = this.#pending.subarray(0, this.#pendingBytes);
      this.#pendingBytes = 0;
    }
    if (bytes.length > this.#limits.lineBytesMax) return this.#fail('line_too_long');
    if (bytes.length === 0) {
      this.#first = false;
      return this.#dispatch(events);
    }
    if (this.#know !== undefined && this.#isKnown(bytes, this.#know)) {
      // What is known lies there until more is pushed.
      if (hasBegun) [this.#pending, this.#lent] = [this.#lent, this.#pending];
      return;
    }
    let line: string;
    try {
      line = utf8.decode(bytes);
    } catch {
      return this.#fail('not_utf8');
    }
    if (this.#first && line.startsWith('\ufeff')) line = line.slice(1);
    this.#first = false;
    if (line === '') return this.#dispatch(events);
    return this.#field(line, bytes.length);
  }

  /** Whether a line is the only one of an event's data, and known. */
  #isKnown(line: Uint8Array, know: (data: Uint8Array) => Known | undefined): boolean {
    for (let at = 0; at < DATA.length; at += 1) if (line[at] !== DATA[at]) return false;
    this.#forgetKnown();
    if (this.#data.length > 0 || line.length > this.#limits.eventBytesMax) return false;
    const data = line.subarray(line[DATA.length] === SPACE ? DATA.length + 1 : DATA.length);
    this.#known = know(data);
    if (this.#known === undefined) return false;
    this.#knownData = data;
    this.#first = false;
    return true;
  }

  /** Makes a text after all of what was known: its event has more than that, or is not whole yet. */
  #forgetKnown(): void {
    if (this.#known === undefined) return;
    this.#known = undefined;
    this.#dataBytes = this.#knownData.length;
    this.#data.push(utf8.decode(this.#knownData));
  }

  #field(line: string, bytes: number): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
    if (name === 'data') {
      this.#dataBytes += bytes;
      if (this.#dataBytes > this.#limits.eventBytesMax) return this.#fail('event_too_large');
      this.#data.push(value);
    } else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\u0000')) this.#id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Math.min(Number(value), RETRY_MS_MAX);
  }

  #dispatch(events: SseEvent<Known>[]): void {
    this.lastEventId = this.#id;
    const event = this.#event === '' ? 'message' : this.#event;
    if (this.#known !== undefined) events.push({ event, data: '', id: this.lastEventId, known: this.#known });
    else if (this.#data.length > 0) events.push({ event, data: this.#data.join('\n'), id: this.lastEventId });
    this.#known = undefined;
    this.#event = '';
    this.#data = [];
    this.#dataBytes = 0;
  }

  #fail(fault: SseFault): void {
    this.fault = fault;
    this.#pending = NOTHING;
    this.#pendingBytes = 0;
    this.#data = [];
    this.#known = undefined;
  }
}

/** Frames one JSON text as an event of type `message`; line breaks, which JSON has only between tokens, are kept as lines. */
export function encodeSseMessage(json: string, id?: string): string {
  const data = /[\r\n]/.test(json) ? json.split(/\r\n|\r|\n/).join('\ndata: ') : json;
  return `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;
}
