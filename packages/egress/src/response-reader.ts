import { errors } from 'undici';
import { FIELD_LINE, malformed, parseHead, type ResponseHead } from './response-head.js';

/** Told of a response as it comes. */
export interface ResponseListener {
  onHead(head: ResponseHead): void;
  onPiece(piece: Buffer): void;
  onEnd(): void;
}

type State = 'idle' | 'head' | 'length' | 'until_close' | 'chunk_size' | 'chunk' | 'chunk_end' | 'trailers' | 'whole' | 'stopped';

const HEAD_BYTES_MAX = 16 * 1024;
const INTERIM_MAX = 16;
const HEAD_END = Buffer.from('\r\n\r\n');
const BEGINNING = 'HTTP/1.';
const LINE_END = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);
const CHUNK_LINE_BYTES_MAX = 1024;
const CHUNK_LINE =
  /^([0-9a-fA-F]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]*"))?)*$/;

/** Whether what is there of a head may become one: whoever speaks another protocol is not waited for. */
const begins = (bytes: Buffer, at: number): boolean => BEGINNING.startsWith(bytes.toString('latin1', at, at + BEGINNING.length));

/**
 * Takes the responses of one connection apart, one at a time (RFC 9112). What it throws is the server's fault, and the connection's end: it takes
 * nothing that two readers could understand in two ways.
 */
export class ResponseReader {
  private state: State = 'idle';
  private isHeadRequest = false;
  private isPaused = false;
  private interim = 0;
  /** Bytes of the body, or of the chunk, still to come; or those of the trailers that came. */
  private count = 0;
  /** What cannot be read yet: a line that is not whole, or what came before a pause was heard. */
  private unread: Buffer | undefined;

  constructor(private readonly listener: ResponseListener) {}

  /** A request is about to be sent. */
  begin(method: string): void {
    this.state = 'head';
    this.isHeadRequest = method === 'HEAD';
    this.isPaused = false;
    this.interim = 0;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const { unread = NOTHING } = this;
    this.unread = undefined;
    this.read(unread);
  }

  /** Nothing is wanted any more of what comes. */
  stop(): void {
    this.state = 'stopped';
    this.unread = undefined;
  }

  push(bytes: Buffer): void {
    const { unread } = this;
    this.unread = undefined;
    this.read(unread === undefined ? bytes : Buffer.concat([unread, bytes]));
  }

  /** The server sends no more, which is the end of a response that says no other. */
  end(): void {
    if (this.state === 'until_close') this.finish();
  }

  private read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.goesOn) {
      const next = this.step(bytes, at);
      if (next === at) break;
      at = next;
    }
    if (this.state === 'whole' && !this.isPaused) this.finish();
    if (at === bytes.length || this.state === 'stopped') return;
    if (this.state === 'idle') throw malformed('More than the response');
    this.unread = at === 0 ? bytes : bytes.subarray(at);
  }

  private get goesOn(): boolean {
    return !this.isPaused && this.state !== 'whole' && this.state !== 'stopped' && this.state !== 'idle';
  }

  /** Reads one thing; gives the place behind it, or the same place where it is not there as a whole. */
  private step(bytes: Buffer, at: number): number {
    switch (this.state) {
      case 'idle':
      case 'whole':
      case 'stopped':
        return at;
      case 'head':
        return this.readHead(bytes, at);
      case 'length':
      case 'chunk':
        return this.readCounted(bytes, at);
      case 'until_close':
        this.listener.onPiece(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'chunk_size':
        return this.readChunkSize(bytes, at);
      case 'chunk_end':
        return this.readChunkEnd(bytes, at);
      case 'trailers':
        return this.readTrailer(bytes, at);
    }
  }

  private readHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(HEAD_END, at);
    if ((end === -1 ? bytes.length : end) - at > HEAD_BYTES_MAX) throw new errors.HeadersOverflowError();
    if (end === -1) {
      if (!begins(bytes, at)) throw malformed('Not HTTP/1.1');
      return at;
    }
    const head = parseHead(bytes.toString('latin1', at, end), this.isHeadRequest);
    if (head.status >= 200) this.startBody(head);
    else if (head.status === 101 || (this.interim += 1) > INTERIM_MAX) throw malformed('An interim response that was not asked for');
    return end + HEAD_END.length;
  }

  private startBody(head: ResponseHead): void {
    this.count = head.bytes;
    this.state = head.framing === 'chunked' ? 'chunk_size' : head.framing === 'until_close' ? 'until_close' : 'length';
    if (this.state === 'length' && this.count === 0) this.state = 'whole';
    this.listener.onHead(head);
  }

  private readCounted(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.count, bytes.length);
    this.count -= end - at;
    if (this.count === 0) this.state = this.state === 'chunk' ? 'chunk_end' : 'whole';
    this.listener.onPiece(bytes.subarray(at, end));
    return end;
  }

  private readChunkSize(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LINE_END, at);
    if ((end === -1 ? bytes.length : end) - at > CHUNK_LINE_BYTES_MAX) throw malformed('A chunk without a size');
    if (end === -1) return at;
    const size = CHUNK_LINE.exec(bytes.toString('latin1', at, end))?.[1];
    if (size === undefined) throw malformed('A chunk without a size');
    this.count = Number.parseInt(size, 16);
    this.state = this.count === 0 ? 'trailers' : 'chunk';
    return end + LINE_END.length;
  }

  private readChunkEnd(bytes: Buffer, at: number): number {
    if (bytes.length - at < LINE_END.length) return at;
    if (bytes[at] !== LINE_END[0] || bytes[at + 1] !== LINE_END[1]) throw malformed('A chunk longer than it says');
    this.state = 'chunk_size';
    return at + LINE_END.length;
  }

  private readTrailer(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LINE_END, at);
    const length = (end === -1 ? bytes.length : end) - at;
    if (this.count + length > HEAD_BYTES_MAX) throw new errors.HeadersOverflowError();
    if (end === -1) return at;
    this.count += length + LINE_END.length;
    if (length === 0) this.state = 'whole';
    else if (!FIELD_LINE.test(bytes.toString('latin1', at, end))) throw malformed('A trailer that is no header');
    return end + LINE_END.length;
  }

  private finish(): void {
    this.state = 'idle';
    this.listener.onEnd();
  }
}
