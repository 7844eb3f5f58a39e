import { describe, expect, test } from 'vitest';
import { readAnswer } from './read-answer.js';

const ID = 'abc-1';
const message = (rest: string): string => `{"jsonrpc":"2.0","id":"${ID}","result":{"a":1.0}${rest}}`;

describe('nothing that a server writes beside its result gets into our answer', () => {
  test.each([
    ['a request', ',"method":"sampling/createMessage","params":{"messages":[]}'],
    ['a second result', `,"result":{"a":1}`],
    ['a second result under an escaped name', String.raw`,"r\u0065sult":{"a":1}`],
    ['a second version', ',"jsonrpc":"2.0"'],
    ['a second id', `,"id":8,"id":"${ID}"`],
    ['a second id with escapes', String.raw`,"id":8,"\u0069d":"\u0061bc-1"`],
  ])('%s', (_what, rest) => {
    expect(readAnswer(message(rest), ID)).toEqual({ result: { a: 1 }, resultJson: '{"a":1}', error: undefined });
  });

  test('before the result neither', () => {
    const hidden = `{"result":{"a":1.0},"method":"ping","jsonrpc":"2.0","id":"${ID}"}`;
    expect(readAnswer(hidden, ID).resultJson).toBe('{"a":1}');
  });
});

test('the names in a result are read as they pass, whatever another server sent before', () => {
  const sent = (result: string): string => `{"jsonrpc":"2.0","id":"${ID}","result":${result}}`;
  readAnswer(sent(String.raw`{"of an answer":1,"\\u00":{}}`), ID);
  const result = String.raw`{"of an answer":1,"\u0070ath":{"a":1.0}}`;
  expect(readAnswer(sent(result), ID)).toEqual({ result: { 'of an answer': 1, path: { a: 1 } }, resultJson: result, error: undefined });
});

test('a result passes byte for byte, whatever names and texts it holds', () => {
  const result = String.raw`{"result":1.0,"jsonrpc":[],"text":"\u00e9 abc-1 \"}","id":12345678901234567890}`;
  expect(readAnswer(`{"jsonrpc":"2.0","id":"${ID}","result":${result}}`, ID).resultJson).toBe(result);
  expect(readAnswer(`{"result":${result},"jsonrpc":"2.0","id":"${ID}"}`, ID).resultJson).toBe(result);
});
