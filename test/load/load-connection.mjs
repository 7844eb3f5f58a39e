import { connect } from 'node:net';
import { MessageReader } from './message-reader.mjs';

/** An answer that was not what was asked for; counted by its message. */
export class Failure extends Error {}

/** One keep-alive connection with at most one request in flight. A lost connection is opened again by the next request. */
export class LoadConnection {
  #socket = null;
  #pending = null;
  #count = 0;
  /** Header lines of the session, once there is one. */
  session = '';

  constructor({ url, token, shape, sameId }) {
    this.sameId = sameId;
    this.url = url;
    this.shape = shape;
    const authorization = token ? `authorization: Bearer ${token}\r\n` : '';
    this.fixedHead = `host: ${url.host}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n${authorization}`;
  }

  /** The answer's `{ result, headers, events }`, the last the number of messages that came before it. Rejects with a Failure for anything but a result with this request's id. */
  async request(method, params, name) {
    const id = this.sameId ?? ++this.#count;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: this.shape.params(params) });
    const reply = await this.#send(this.shape.headers(method, name) + this.session, body);
    if (reply.status !== 200) throw new Failure(`status ${reply.status}`);
    const answer = answerTo(id, reply);
    if (answer.error) throw new Failure(describeError(answer.error));
    return { result: answer.result, headers: reply.headers, events: answer.events };
  }

  async notify(method, session) {
    const { status } = await this.#send(session, JSON.stringify({ jsonrpc: '2.0', method }));
    if (status !== 202) throw new Failure(`${method}: status ${status}`);
  }

  /** Gives a request up that was sent before `sentBefore`. */
  expire(sentBefore) {
    if (this.#pending && this.#pending.sentAt < sentBefore) this.#drop(new Failure('timeout'));
  }

  close() {
    this.#socket?.destroy();
    this.#socket = null;
  }

  async #send(headers, body) {
    this.#socket ??= await this.#open();
    const length = `content-length: ${Buffer.byteLength(body)}\r\n`;
    this.#socket.write(`POST ${this.url.pathname} HTTP/1.1\r\n${this.fixedHead}${headers}${length}\r\n${body}`);
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, sentAt: performance.now() };
    });
  }

  #open() {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.url.hostname, port: Number(this.url.port), noDelay: true });
      const reader = new MessageReader(
        'response',
        (message) => this.#settle(message),
        (error) => this.#drop(error),
      );
      socket.on('connect', () => resolve(socket));
      socket.on('data', (data) => reader.push(data));
      socket.on('error', (error) => {
        reject(new Failure(error.code));
        this.#drop(error);
      });
      socket.on('close', () => this.#drop(new Failure(reader.isCutShort() ? 'answer cut short' : 'connection closed')));
    });
  }

  #settle(message) {
    const pending = this.#pending;
    this.#pending = null;
    if (message.headers.connection?.toLowerCase() === 'close') {
      this.#socket?.destroy();
      this.#socket = null;
    }
    pending?.resolve(message);
  }

  #drop(error) {
    this.#socket?.destroy();
    this.#socket = null;
    const pending = this.#pending;
    this.#pending = null;
    pending?.reject(error instanceof Failure ? error : new Failure(error.code ?? error.message));
  }
}

function describeError({ code, message, data }) {
  const reason = typeof data?.reason === 'string' ? ` (${data.reason})` : '';
  return `JSON-RPC error ${code}${reason}: ${String(message).slice(0, 80)}`;
}

/** The answer to this request, be it JSON or the last message of a stream; reading the others would cost more than what is measured. */
function answerTo(id, { headers, body }) {
  const isStream = (headers['content-type'] ?? '').startsWith('text/event-stream');
  const messages = isStream ? dataOf(body.utf8Slice()) : [body.utf8Slice()];
  const answer = parse(messages.at(-1) ?? '');
  if (answer.id !== id || answer.method !== undefined) throw new Failure('no answer with the right id');
  return { ...answer, events: messages.length - 1 };
}

function dataOf(text) {
  const events = text.split(/\r?\n\r?\n/).map((event) => event.split(/\r?\n/).filter((line) => line.startsWith('data:')));
  return events.map((lines) => lines.map((line) => line.slice(5).trimStart()).join('\n')).filter((data) => data !== '');
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure('unreadable answer');
  }
}
