import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResponseReader } from './response-reader.js';

interface Told {
  status: number[];
  body: string;
  ended: number;
}

function read(pieces: readonly Buffer[], { method = 'POST', isClosed = false, pauseAt = 0 } = {}): Told {
  const told: Told = { status: [], body: '', ended: 0 };
  let count = 0;
  const reader = new ResponseReader({
    onHead: ({ status }) => told.status.push(status),
    onPiece: (piece) => {
      told.body += piece.toString('latin1');
      count += 1;
      if (count === pauseAt) reader.pause();
    },
    onEnd: () => (told.ended += 1),
  });
  reader.begin(method);
  for (const piece of pieces) reader.push(piece);
  if (pauseAt > 0) {
    expect(told.ended).toBe(0);
    reader.resume();
  }
  if (isClosed) reader.end();
  return told;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const whole: readonly (readonly [name: string, response: string, told: Told])[] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { status: [200], body: 'hello', ended: 1 }],
  ['no body', 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n', { status: [202], body: '', ended: 1 }],
  ['no reason', 'HTTP/1.1 200\r\ncontent-length:1\r\n\r\nx', { status: [200], body: 'x', ended: 1 }],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: [204], body: '', ended: 1 }],
  [
    'interim responses',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx',
    { status: [200], body: 'x', ended: 1 },
  ],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA;name="x"\r\n0123456789\r\n0\r\n\r\n',
    { status: [200], body: 'hello0123456789', ended: 1 },
  ],
  ['trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n', { status: [200], body: 'x', ended: 1 }],
  ['the end of the connection', 'HTTP/1.0 200 OK\r\nx: y\r\n\r\nhello', { status: [200], body: 'hello', ended: 1 }],
];

test.each(whole)('a response with %s is read the same however its bytes are cut', (_name, response, told) => {
  const all = bytes(response);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(all.length), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), all.length];
      const pieces = at.slice(1).map((end, index) => all.subarray(at[index], end));
      expect(read(pieces, { isClosed: true })).toEqual(told);
    }),
    { numRuns: 60 },
  );
  expect(
    read(
      [...all].map((byte) => Buffer.of(byte)),
      { isClosed: true },
    ),
  ).toEqual(told);
});

test('what comes after a pause is read when it is over, the end of the response too', () => {
  const length = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';
  expect(read([bytes(length)], { pauseAt: 1 })).toEqual({ status: [200], body: 'hello', ended: 1 });
  const chunks = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n';
  expect(read([bytes(chunks.slice(0, 60)), bytes(chunks.slice(60))], { pauseAt: 1 })).toEqual({ status: [200], body: 'abc', ended: 1 });
});

test('the answer to HEAD has no body, whatever its head says', () => {
  expect(read([bytes('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')], { method: 'HEAD' })).toEqual({ status: [200], body: '', ended: 1 });
});

test('a response that is cut short does not end', () => {
  const cut = [
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n',
    'HTTP/1.1 200',
  ];
  for (const response of cut) expect(read([bytes(response)], { isClosed: true }).ended).toBe(0);
});

const head = (lines: string): string => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`;
const faults: readonly (readonly [string, string])[] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9'],
  ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
  ['a status that is none', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a protocol that was not asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['two lengths', `${head('content-length: 1\r\ncontent-length: 2')}xy`],
  ['two equal lengths', `${head('content-length: 1\r\ncontent-length: 1')}x`],
  ['a list of lengths', `${head('content-length: 1, 1')}x`],
  ['a negative length', `${head('content-length: -1')}x`],
  ['a length with a sign', `${head('content-length: +1')}x`],
  ['a hexadecimal length', `${head('content-length: 0x1')}x`],
  ['a length and a tab', `${head('content-length: 1\t')}x`],
  ['length and chunks', `${head('content-length: 1\r\ntransfer-encoding: chunked')}0\r\n\r\n`],
  ['another encoding', `${head('transfer-encoding: gzip, chunked')}0\r\n\r\n`],
  ['two encodings', `${head('transfer-encoding: chunked\r\ntransfer-encoding: chunked')}0\r\n\r\n`],
  ['an encoding in disguise', `${head('transfer-encoding: \x0bchunked')}0\r\n\r\n`],
  ['a blank before the colon', `${head('content-length : 1')}x`],
  ['a folded line', `${head('x: a\r\n b\r\ncontent-length: 1')}x`],
  ['a lone line feed', 'HTTP/1.1 200 OK\ncontent-length: 1\n\nx\r\n\r\n'],
  ['a lone carriage return', `${head('x: a\rcontent-length: 1')}x`],
  ['a zero byte', `${head('x: \0\r\ncontent-length: 1')}x`],
  ['a line without a colon', `${head('content-length')}x`],
  ['a nameless header', `${head(': 1')}x`],
  ['more than it says', `${head('content-length: 1')}xy`],
  ['another response behind it', `${head('content-length: 1')}x${head('content-length: 1')}x`],
  ['a chunk without a size', `${head('transfer-encoding: chunked')}\r\nx`],
  ['a chunk of a negative size', `${head('transfer-encoding: chunked')}-1\r\nx`],
  ['a chunk of a size in disguise', `${head('transfer-encoding: chunked')}0x1\r\nx`],
  ['a chunk beyond all size', `${head('transfer-encoding: chunked')}fffffffff\r\nx`],
  ['a chunk with an endless extension', `${head('transfer-encoding: chunked')}1;${'x'.repeat(2000)}`],
  ['a chunk with a nameless extension', `${head('transfer-encoding: chunked')}1;\r\nx\r\n0\r\n\r\n`],
  ['a chunk longer than it says', `${head('transfer-encoding: chunked')}1\r\nxy\r\n0\r\n\r\n`],
  ['an endless head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(17 * 1024)}`],
  ['a trailer that is no header', `${head('transfer-encoding: chunked')}0\r\nhel\r\n\r\n`],
  ['endless trailers', `${head('transfer-encoding: chunked')}0\r\n${'a: b\r\n'.repeat(3000)}`],
  ['endless interim responses', 'HTTP/1.1 103 Hints\r\n\r\n'.repeat(17)],
];

test.each(faults)('a response with %s is refused, in one piece and byte by byte', (_name, response) => {
  expect(() => read([bytes(response)])).toThrow(/./);
  expect(() => read([...bytes(response)].map((byte) => Buffer.of(byte)))).toThrow(/./);
});
