import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_JSON_LIMITS, parseJsonBody, parseJsonText } from './json-guard.js';
import { survivesRoundTrip } from './lossy-numbers.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const code = (text: string): number | 'ok' => {
  const body = parseJsonBody(bytes(text));
  return body.ok ? 'ok' : body.refusal.code;
};
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('what is not plain UTF-8 JSON within limits is refused before it is parsed', () => {
  it.each([
    ['byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['UTF-16 with mark', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['UTF-16 without mark', [0x7b, 0x00, 0x7d, 0x00]],
    ['overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['nothing', []],
  ])('%s', (_name, raw) => {
    expect(parseJsonBody(Uint8Array.from(raw))).toMatchObject({ ok: false, refusal: { status: 400, code: -32700, id: null } });
  });

  it.each([
    ['depth 65', nested(65)],
    ['depth 1,000,000', '['.repeat(1_000_000)],
    ['depth hidden behind a string', `{"a":"]]]]\\"",${'"a":['.repeat(70)}`],
    ['100,000 keys', `{${Array.from({ length: 100_000 }, (_, i) => `"k${String(i)}":1`).join()}}`],
    ['a key of 1 MiB', `{"${'x'.repeat(1 << 20)}":1}`],
    ['trailing data', '{} {}'],
    ['comment', '{/**/}'],
    ['NaN', 'NaN'],
    ['cut', '{"a":'],
    ['raw NUL', '"\u0000"'],
  ])('%s', (_name, text) => {
    expect(code(text)).toBe(-32700);
  });

  it('depth 64 is accepted', () => {
    expect(code(nested(64))).toBe('ok');
  });

  it('one byte over the cap is 413 and not looked at', () => {
    const limits = { ...DEFAULT_JSON_LIMITS, bytesMax: 4 };
    expect(parseJsonBody(bytes('null'), limits)).toEqual({ ok: true, value: null });
    expect(parseJsonBody(bytes('"nul"'), limits)).toMatchObject({ ok: false, refusal: { status: 413 } });
  });
});

describe('no key reaches a prototype', () => {
  it.each([
    '{"__proto__":{"x":1}}',
    '{"a":[{"__proto__":1}]}',
    '{"\\u005f_proto__":{"x":1}}',
    '{"\\u005F\\u005fpr\\u006fto__":null}',
    '{"params":{"_meta":{"constructor":{"prototype":{"x":1}}}}}',
    '{"c\\u006fnstructor":{"prototyp\\u0065":1}}',
  ])('%s is refused', (text) => {
    expect(code(text)).toBe(-32700);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
  it.each(['{"id":"__proto__"}', '{"constructor":"x"}', '{"constructor":{},"prototype":{}}', '["__proto__","constructor","prototype"]'])(
    '%s is text like any other',
    (text) => {
      expect(code(text)).toBe('ok');
    },
  );
});

describe('a number that forwarding would change is refused with its pointer', () => {
  it.each([
    ['{"id":1e400}', '/id'],
    ['{"params":{"arguments":{"n":9007199254740993}}}', '/params/arguments/n'],
    ['{"a":[1,[2,-1e-400]]}', '/a/1/1'],
    ['{"a/b~c":{"":[3.141592653589793238]}}', '/a~1b~0c//0'],
    ['{"a":"1e400, \\"","b":{"c":1},"d":1e400}', '/d'],
    ['{"\\u0061":1E400}', '/a'],
    ['9007199254740993', ''],
  ])('%s', (text, pointer) => {
    expect(parseJsonBody(bytes(text))).toMatchObject({ ok: false, refusal: { code: -32600, data: { pointer } } });
  });

  it('a number of 1 MiB is refused', () => {
    expect(parseJsonText(`{"a":${'9'.repeat(1 << 20)}}`)).toMatchObject({ refusal: { code: -32600, data: { pointer: '/a' } } });
  });

  it('the id is echoed when it is sound', () => {
    expect(parseJsonBody(bytes('{"id":5,"x":1e999}'))).toMatchObject({ refusal: { id: 5 } });
    expect(parseJsonBody(bytes('{"id":1e999}'))).toMatchObject({ refusal: { id: null } });
  });

  it.each([
    '1.0',
    '0.1',
    '1e5',
    '-0',
    '1E-7',
    '0.30000000000000004',
    '9007199254740991',
    '1.7976931348623157e308',
    '5e-324',
    '0.000000000000000000',
    '100000000000000000000',
    '1e22',
  ])('%s survives', (text) => {
    expect(code(text)).toBe('ok');
  });

  it('every double survives as it is written', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect([survivesRoundTrip(JSON.stringify(value)), survivesRoundTrip(value.toExponential())]).toEqual([true, true]);
      }),
    );
  });

  it('an integer survives exactly if it comes out of JSON.stringify as it went in', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (n) => {
        expect(survivesRoundTrip(String(n))).toBe(BigInt(JSON.stringify(Number(n))) === n);
      }),
    );
  });
});

describe('text', () => {
  it.each(['{"a":"\\ud800"}', '{"\\uDC00":1}', '["\\ud83d x"]'])('%s has half a character and is refused', (text) => {
    expect(code(text)).toBe(-32600);
  });
  it.each(['{"a":"\\ud83d\\ude00"}', '{"a":"\\u0000"}', '"😀"'])('%s is well-formed and kept', (text) => {
    expect(code(text)).toBe('ok');
  });
});

it('of duplicate keys the last is read and forwarded, also when escaped', () => {
  expect(parseJsonText('{"method":"a","m\\u0065thod":"b"}')).toEqual({ ok: true, value: { method: 'b' } });
});

it('what is accepted is what JSON.parse reads and survives being forwarded', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      const body = parseJsonBody(bytes(text));
      const value: unknown = JSON.parse(text);
      if (body.ok) {
        expect(body.value).toEqual(value);
        expect(JSON.parse(JSON.stringify(body.value))).toEqual(value);
      }
      return body.ok || text.includes('\\u') || text.includes('__proto__');
    }),
  );
});

it('arbitrary bytes never throw', () => {
  const jsonLike = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'e', '-', '.', 'u'), maxLength: 40 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), jsonLike, (raw, text) => {
      expect([typeof parseJsonBody(raw).ok, typeof parseJsonText(text).ok]).toEqual(['boolean', 'boolean']);
    }),
  );
});
