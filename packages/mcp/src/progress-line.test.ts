import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ProgressFinder } from './progress-line.js';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const finder = new ProgressFinder('our-1');

/** The message with another token in place of ours, where it was found. */
function replaced(bytes: Uint8Array, token = '"mine"'): string | undefined {
  const found = finder.find(bytes);
  if (found === undefined) return undefined;
  const text = (part: Uint8Array): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part);
  return text(found.bytes.subarray(0, found.tokenStart)) + token + text(found.bytes.subarray(found.tokenEnd));
}
const around = (params: string): string => `{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}`;

describe('progress is found as servers write it', () => {
  it.each([
    ['as most do', around('{"progressToken":"our-1","progress":1,"total":2.5e3,"message":"half way"}')],
    ['with spaces', '{ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": "our-1", "progress": -0.5 } }'],
    ['the version last', '{"method":"notifications/progress","params":{"progressToken":"our-1"},"jsonrpc":"2.0"}'],
    ['the token last', around('{"progress":1,"message":"a","progressToken":"our-1"}')],
    [
      'with more than ASCII',
      around('{"progressToken":"our-1","message":"½ – 半分 😀 and then plain text that is as long as several words of four"}'),
    ],
    ['with escapes', around(String.raw`{"progressToken":"our-1","message":"\"a\"\\\n"}`)],
    ['with its token in a text', around('{"message":"\\"progressToken\\":\\"our-1\\"","progressToken":"our-1"}')],
    ['of any length', around(`{"progressToken":"our-1","message":"${'x'.repeat(10_001)}"}`)],
  ])('%s', (_how, text) => {
    const found = replaced(encode(text));
    const value = JSON.parse(text) as { params: object };
    expect(JSON.parse(found ?? 'null')).toEqual({ ...value, params: { ...value.params, progressToken: 'mine' } });
  });
});

describe('what may be anything else is left to who reads it as JSON', () => {
  it.each([
    ['another token', around('{"progressToken":"our-2","progress":1}')],
    ['no token', around('{"progress":1}')],
    ['a token twice', around('{"progressToken":"our-1","progressToken":"our-1"}')],
    ['another token under a name with escapes', around(String.raw`{"progressToken":"our-1","progres\u0073Token":"theirs"}`)],
    ['another method behind it', '{"method":"notifications/progress","params":{"progressToken":"our-1"},"method":"sampling/createMessage"}'],
    ['other params behind them', '{"method":"notifications/progress","params":{"progressToken":"our-1"},"params":{}}'],
    ['a request', '{"id":1,"method":"notifications/progress","params":{"progressToken":"our-1"}}'],
    ['a request, by its end', '{"method":"notifications/progress","params":{"progressToken":"our-1"},"id":1}'],
    ['an answer', '{"jsonrpc":"2.0","id":"our-1","result":{}}'],
    ['a log message', '{"jsonrpc":"2.0","method":"notifications/message","params":{"progressToken":"our-1"}}'],
    ['another version', '{"jsonrpc":"1.0","method":"notifications/progress","params":{"progressToken":"our-1"}}'],
    ['params that hold more', around('{"progressToken":"our-1","_meta":{"a":1}}')],
    ['something behind it', `${around('{"progressToken":"our-1"}')},`],
    ['no method', '{"jsonrpc":"2.0","params":{"progressToken":"our-1"}}'],
    ['a control character', around('{"progressToken":"our-1","message":"a long enough text with a bell: \u0007 in the middle of it"}')],
    ['an unknown escape', around(String.raw`{"progressToken":"our-1","message":"\x"}`)],
    ['a number that is none', around('{"progressToken":"our-1","progress":01}')],
    ['nothing', ''],
  ])('%s', (_what, text) => {
    expect(finder.find(encode(text))).toBeUndefined();
  });

  it('bytes that are not UTF-8', () => {
    const bytes = encode(around(`{"progressToken":"our-1","message":"${'x'.repeat(100)}"}`));
    for (const wrong of [[0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
      const broken = Uint8Array.from(bytes);
      broken.set(wrong, 150);
      expect(finder.find(broken)).toBeUndefined();
    }
  });
});

const member = fc.oneof(
  fc.constantFrom(
    '"jsonrpc":"2.0"',
    '"method":"notifications/progress"',
    '"params":{"progressToken":"our-1"}',
    '"params":{"progress":1,"progressToken":"our-1"}',
    '"params":{"progressToken":"our-1","message":"é"}',
    '"params":{"progressToken":"our-1","progressToken":"our-2"}',
    '"id":1',
    '"method":"x"',
    '"params":[]',
  ),
  fc.string({ unit: fc.constantFrom('"', '{', '}', ':', ',', '\\', 'u', '0', 'a', 'é', '\u0001'), maxLength: 6 }),
);

test('whatever is found is progress under this token, to everybody who reads JSON', () => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 5 }), fc.nat(7), (members, offset) => {
      const text = `{${members.join(',')}}`;
      const whole = encode('#'.repeat(offset) + text);
      const found = replaced(whole.subarray(offset));
      if (found === undefined) return;
      const value = JSON.parse(text) as { method: string; params: { progressToken: string } };
      expect([value.method, value.params.progressToken]).toEqual(['notifications/progress', 'our-1']);
      expect(members.length).toBe(Object.keys(value).length);
      expect(JSON.parse(found)).toEqual({ ...value, params: { ...value.params, progressToken: 'mine' } });
    }),
    { numRuns: 2000 },
  );
});
