import { createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import fc from 'fast-check';

/** What a server does with a connection before it hangs up, and how. */
export interface AbruptConduct {
  readonly answer: keyof typeof ANSWERS;
  /** How much of its answer it gives, in thousandths, and where that is parted. */
  readonly given: number;
  readonly parted: number;
  /** When it does: as soon as somebody connects, with the first byte that comes, or once a request is whole. */
  readonly from: 'connected' | 'first byte' | 'request';
  /** How many turns of the event loop it takes to hang up; undefined where it never does. */
  readonly turns: number | undefined;
  readonly ending: 'fin' | 'rst' | 'destroy';
  /** How many requests of a connection are answered in full before. */
  readonly sound: number;
}

const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nmcp-session-id: s\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const event = (text: string): string => chunk(`id: 7\nretry: 1\ndata: ${text}\n\n`);
const whole = (text: string, head = JSON_HEAD): string =>
  `${head}mcp-session-id: s\r\ncontent-length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`;
const progress = event('{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}');

const ANSWERS = {
  json: (message: string) => whole(message),
  long: (message: string) => whole(message.replace('done', 'x'.repeat(1_000_000))),
  'until it closes': (message: string) => `${JSON_HEAD}connection: close\r\n\r\n${message}`,
  stream: (message: string) => `${STREAM_HEAD}${progress.repeat(20)}${event(message)}0\r\n\r\n`,
  'a stream without an answer': () => `${STREAM_HEAD}${progress.repeat(3)}0\r\n\r\n`,
  'an endpoint': (message: string) =>
    `${STREAM_HEAD}${chunk('event: endpoint\ndata: /messages\n\n')}${chunk(`event: message\ndata: ${message}\n\n`)}`,
  'with trailers': (message: string) => `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n${chunk(message)}0\r\nx: y\r\n\r\n`,
  'in the interim': (message: string) => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${whole(message)}`,
  'more than was asked': (message: string) => whole(message).repeat(2),
  taken: () => 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n',
  refused: () => 'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 3\r\n\r\nno.',
  'moved on': () => 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  nonsense: () => '\x15\x03\x01\x00\x02\x02\x28',
};

/** Any of these, mostly of who hangs up once it was asked. */
export const abruptConduct: fc.Arbitrary<AbruptConduct> = fc.record({
  answer: fc.constantFrom(...(Object.keys(ANSWERS) as (keyof typeof ANSWERS)[])),
  given: fc.oneof(fc.constant(1000), fc.integer({ min: 0, max: 1000 })),
  parted: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1000 })),
  from: fc.constantFrom('request' as const, 'request' as const, 'first byte' as const, 'connected' as const),
  turns: fc.nat({ max: 5 }),
  ending: fc.constantFrom('rst' as const, 'rst' as const, 'fin' as const, 'destroy' as const),
  sound: fc.nat({ max: 2 }),
});

const SOUND: AbruptConduct = { answer: 'json', given: 1000, parted: 0, from: 'request', turns: undefined, ending: 'fin', sound: 0 };

/** A server that behaves as it is told, in the clear or, given a certificate, by TLS. */
export class AbruptServer {
  conduct: AbruptConduct = SOUND;
  requests = 0;
  private readonly open = new Set<Socket>();
  private readonly server = createServer({ noDelay: true }, (socket) => this.take(socket));

  private constructor(private readonly secureContext: SecureContext | undefined) {}

  static async start(secureContext?: SecureContext): Promise<AbruptServer> {
    const started = new AbruptServer(secureContext);
    await new Promise<void>((resolve) => started.server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  behaveWell(): void {
    this.conduct = SOUND;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.open) socket.destroy();
    });
  }

  private take(below: Socket): void {
    const { conduct, secureContext } = this;
    this.open.add(below);
    below.on('close', () => this.open.delete(below)).on('error', () => undefined);
    if (conduct.from === 'connected') return void this.play(conduct, '', { socket: below, below });
    if (conduct.from === 'first byte' && secureContext !== undefined) below.once('data', () => void this.play(conduct, '', { socket: below, below }));
    if (conduct.from === 'first byte' && secureContext !== undefined) return;
    const socket = secureContext === undefined ? below : new TLSSocket(below, { isServer: true, secureContext }).on('error', () => undefined);
    let received = '';
    let sound = conduct.sound;
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
      const isWhole = head >= 0 && received.length >= head + 4 + length;
      if (!isWhole && conduct.from === 'request') return;
      const request = received;
      received = '';
      this.requests += 1;
      void this.play(sound-- > 0 ? SOUND : conduct, request, { socket, below });
    });
  }

  private async play(conduct: AbruptConduct, request: string, { socket, below }: { socket: Socket; below: Socket }): Promise<void> {
    const id = /"id":("[^"]*"|\d+)/.exec(request)?.[1] ?? 'null';
    const result = request.includes('"initialize"')
      ? '{"protocolVersion":"2025-06-18","capabilities":{}}'
      : '{"content":["done"],"resultType":"complete"}';
    const answer = Buffer.from(ANSWERS[conduct.answer](`{"jsonrpc":"2.0","id":${id},"result":${result}}`), 'latin1');
    const given = answer.subarray(0, Math.round((answer.length * conduct.given) / 1000));
    const parted = Math.round((given.length * conduct.parted) / 1000);
    for (const piece of [given.subarray(0, parted), given.subarray(parted)]) {
      if (piece.length === 0 || !socket.writable) continue;
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (conduct.turns === undefined) return;
    for (let turn = 0; turn < conduct.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (conduct.ending === 'fin') socket.end();
    else if (conduct.ending === 'rst' && !below.writableEnded) below.resetAndDestroy();
    else below.destroy();
  }
}
