const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const HEAD_BYTES_MAX = 65_536;

/**
 * Reads HTTP/1.1 messages (`request` or `response`) from the bytes of one connection, as cheaply as can be: on a small machine the harness competes
 * with what it measures. Knows keep-alive, Content-Length, chunked bodies and interim answers; header names are lower-case.
 */
export class MessageReader {
  #buffer = null;
  #message = null;
  #chunks = [];
  #missing = 0;
  #state = 'head';
  #steps = {
    head: () => this.#readHead(),
    body: () => this.#readBody(),
    chunkSize: () => this.#readChunkSize(),
    chunk: () => this.#readChunk(),
    trailers: () => this.#readTrailers(),
  };

  constructor(kind, onMessage, onError) {
    this.isResponse = kind === 'response';
    this.onMessage = onMessage;
    this.onError = onError;
  }

  push(data) {
    this.#buffer = this.#buffer ? Buffer.concat([this.#buffer, data]) : data;
    try {
      while (this.#buffer && this.#steps[this.#state]());
    } catch (error) {
      this.onError(error);
    }
  }

  /** Whether the connection ended in the middle of a message. */
  isCutShort() {
    return this.#state !== 'head' || this.#buffer !== null;
  }

  #take(bytes) {
    const part = this.#buffer.subarray(0, bytes);
    this.#buffer = bytes === this.#buffer.length ? null : this.#buffer.subarray(bytes);
    return part;
  }

  /** The next line without its end, or undefined while it is incomplete. */
  #line() {
    const at = this.#buffer.indexOf(LINE_END);
    return at < 0 ? undefined : this.#take(at + 2).latin1Slice(0, at);
  }

  #readHead() {
    const at = this.#buffer.indexOf(HEAD_END);
    if (at < 0 && this.#buffer.length > HEAD_BYTES_MAX) throw new Error('header block too large');
    if (at < 0) return false;
    const [first, ...lines] = this.#take(at + 4)
      .latin1Slice(0, at)
      .split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const [one, two] = first.split(' ');
    if (this.isResponse && two.startsWith('1')) return true;
    this.#message = this.isResponse ? { status: Number(two), headers, body: null } : { method: one, url: two, headers, body: null };
    return this.#startBody(headers);
  }

  #startBody(headers) {
    if (headers['transfer-encoding']?.toLowerCase().includes('chunked')) {
      this.#state = 'chunkSize';
      return true;
    }
    this.#missing = Number(headers['content-length'] ?? 0);
    if (!(this.#missing >= 0)) throw new Error('bad Content-Length');
    if (this.#missing === 0) this.#finish();
    else this.#state = 'body';
    return true;
  }

  /** Takes what is there of the bytes still missing; true when none is any more. */
  #collect() {
    const part = this.#take(Math.min(this.#missing, this.#buffer.length));
    this.#chunks.push(part);
    this.#missing -= part.length;
    return this.#missing === 0;
  }

  #readBody() {
    if (!this.#collect()) return false;
    this.#finish();
    return true;
  }

  #readChunkSize() {
    const line = this.#line();
    if (line === undefined) return false;
    this.#missing = Number.parseInt(line, 16);
    if (!(this.#missing >= 0)) throw new Error('bad chunk size');
    this.#state = this.#missing === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #readChunk() {
    if (this.#missing > 0 && !this.#collect()) return false;
    if (this.#buffer === null || this.#buffer.length < 2) return false;
    this.#take(2);
    this.#state = 'chunkSize';
    return true;
  }

  #readTrailers() {
    const line = this.#line();
    if (line === '') this.#finish();
    return line !== undefined;
  }

  #finish() {
    const message = this.#message;
    message.body = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#message = null;
    this.#chunks = [];
    this.#state = 'head';
    this.onMessage(message);
  }
}
