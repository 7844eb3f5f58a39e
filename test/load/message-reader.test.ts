import { expect, test } from 'vitest';
import { MessageReader } from './message-reader.mjs';

interface Message {
  status?: number;
  method?: string;
  body: Buffer | null;
}

function read(kind: string, bytes: string, pieceBytes: number): { messages: (string | number | undefined)[][]; isCutShort: boolean } {
  const messages: (string | number | undefined)[][] = [];
  const fail = (error: Error): void => {
    throw error;
  };
  const take = ({ status, method, body }: Message): void => {
    messages.push([status ?? method, body?.toString()]);
  };
  const reader = new MessageReader(kind, take, fail);
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.length; at += pieceBytes) reader.push(all.subarray(at, at + pieceBytes));
  return { messages, isCutShort: reader.isCutShort() };
}

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
const lengthed = 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone';
const interim = 'HTTP/1.1 100 Continue\r\n\r\n';

test.each([1, 2, 7, 1000])('a measurement loses no answer, whatever the pieces it comes in (%i bytes)', (pieceBytes) => {
  const { messages, isCutShort } = read('response', interim + chunked + lengthed + chunked, pieceBytes);
  expect(messages).toEqual([
    [200, 'abcde'],
    [404, 'gone'],
    [200, 'abcde'],
  ]);
  expect(isCutShort).toBe(false);
});

test('an answer that ends early counts as cut short, not as an answer', () => {
  expect(read('response', lengthed.slice(0, -1), 1000)).toEqual({ messages: [], isCutShort: true });
});

test('requests on one connection are told apart', () => {
  const post = 'POST /mcp HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}';
  expect(read('request', post + post, 5).messages).toEqual([
    ['POST', '{}'],
    ['POST', '{}'],
  ]);
});
