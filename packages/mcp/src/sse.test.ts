import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createSseParser, DEFAULT_SSE_LIMITS, encodeSseMessage, type SseEvent, type SseLimits, type SseParser } from './sse.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(stream: Uint8Array, cuts: readonly number[] = [], limits: SseLimits = DEFAULT_SSE_LIMITS): { events: SseEvent[]; parser: SseParser } {
  const parser = createSseParser(limits);
  const events: SseEvent[] = [];
  let start = 0;
  for (const cut of [...cuts, stream.length].map((c) => Math.min(c, stream.length)).sort((a, b) => a - b)) {
    const chunk = stream.slice(start, cut);
    events.push(...parser.push(chunk));
    chunk.fill(0x21); // a reused receive buffer must not reach into events
    start = cut;
  }
  return { events, parser };
}
const data = (text: string): string[] => read(bytes(text)).events.map((event) => event.data);

describe('a stream is read as HTML §9.2 says', () => {
  it.each([
    ['one line', 'data: a\n\n', ['a']],
    ['CRLF', 'data: a\r\n\r\n', ['a']],
    ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['mixed ends', 'data: a\r\n\ndata: b\n\r\n', ['a', 'b']],
    ['several data lines', 'data: {\ndata:  "a": 1\ndata: }\n\n', ['{\n "a": 1\n}']],
    ['no space behind the colon', 'data:a\n\n', ['a']],
    ['no colon', 'data\n\n', ['']],
    ['empty priming event', 'id: 1\ndata:\n\n', ['']],
    ['comments', ': hi\n\ndata: a\n: x\n\n', ['a']],
    ['byte order mark', '\ufeffdata: a\n\n', ['a']],
    ['mark later on is text', '\n\ufeffdata: a\n\n', []],
    ['unknown field', 'colour: red\ndata: a\n\n', ['a']],
    ['no data, no event', 'event: x\nid: 3\n\n', []],
    ['cut off', 'data: a\n', []],
  ])('%s', (_name, text, expected) => {
    expect(data(text)).toEqual(expected);
  });

  it('type, id and retry', () => {
    const { events, parser } = read(bytes('retry: 500\nevent: x\nid: 7\ndata: a\n\ndata: b\n\nretry: soon\nid: a\u0000b\n\n'));
    expect(events).toEqual([
      { event: 'x', data: 'a', id: '7' },
      { event: 'message', data: 'b', id: '7' },
    ]);
    expect([parser.retryMs, parser.lastEventId]).toEqual([500, '7']);
  });

  it('retry is capped at a day', () => {
    expect(read(bytes('retry: 99999999999999\n')).parser.retryMs).toBe(86_400_000);
  });
});

describe('a hostile stream costs no more than its limits', () => {
  const limits = { lineBytesMax: 20, eventBytesMax: 40 };
  it.each([
    ['endless line', 'x'.repeat(21), 'line_too_long'],
    ['long line', `data: ${'x'.repeat(15)}\n\n`, 'line_too_long'],
    ['endless event', 'data: 1234567\n'.repeat(4), 'event_too_large'],
  ])('%s', (_name, text, fault) => {
    const { events, parser } = read(bytes(`data: ok\n\n${text}\n\ndata: late\n\n`), [], limits);
    expect(events.map((event) => event.data)).toEqual(['ok']);
    expect(parser.fault).toBe(fault);
  });
  it('bytes that are not UTF-8 end it', () => {
    expect(read(Uint8Array.of(0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a)).parser.fault).toBe('not_utf8');
  });
});

const piece = fc.constantFrom(
  'data: a',
  'data:',
  'data: ä😀',
  'event: e',
  'id: 1',
  'retry: 5',
  ': c',
  '\ufeff',
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\r\r\n',
  'data: 0123456789012345',
);

it('any chunking gives the same events and the same fault', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat({ max: 300 }), { maxLength: 12 }), (pieces, cuts) => {
      const stream = bytes(pieces.join(''));
      const limits = { lineBytesMax: 20, eventBytesMax: 60 };
      const whole = read(stream, [], limits);
      const cut = read(stream, cuts, limits);
      const bytewise = read(stream, Array.from(stream.keys()), limits);
      expect(cut.events).toEqual(whole.events);
      expect(bytewise.events).toEqual(whole.events);
      expect([cut.parser.fault, bytewise.parser.fault]).toEqual([whole.parser.fault, whole.parser.fault]);
    }),
    { numRuns: 500 },
  );
});

it('an encoded message comes back as the same JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\r\n'), (value, indent) => {
      const text = JSON.stringify(value, null, indent === '\r\n' ? 1 : indent).replaceAll('\n', indent === '\r\n' ? '\r\n' : '\n');
      const { events } = read(bytes(encodeSseMessage(text, 'i')));
      expect(events).toHaveLength(1);
      expect(JSON.parse(events[0]?.data ?? '')).toEqual(JSON.parse(text));
    }),
  );
});

test('what is known of an event comes as bytes, in its place among the others, however the stream is cut', () => {
  const know = (data: Uint8Array): Uint8Array | undefined => (data[0] === 0x7b ? data : undefined);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.constantFrom('data: {"a":1}', 'data:{}', '\n\n')), { maxLength: 20 }),
      fc.array(fc.nat(200)),
      (pieces, cuts) => {
        const stream = bytes(pieces.join('\n'));
        const parser = createSseParser(DEFAULT_SSE_LIMITS, know);
        const told: SseEvent[] = [];
        let start = 0;
        for (const cut of [...cuts, stream.length].map((c) => Math.min(c, stream.length)).sort((a, b) => a - b)) {
          const chunk = stream.slice(start, cut);
          for (const { known, ...event } of parser.push(chunk))
            told.push(known === undefined ? event : { ...event, data: new TextDecoder().decode(known) });
          chunk.fill(0x21);
          start = cut;
        }
        expect(told).toEqual(read(stream).events);
      },
    ),
  );
});
