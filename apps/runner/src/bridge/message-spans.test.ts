import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSpans, replaceSpans, textAt } from './message-spans.js';

const id = fc.oneof(fc.string(), fc.integer());
const message = fc.record(
  {
    jsonrpc: fc.constant('2.0'),
    id,
    method: fc.string(),
    params: fc.record({ _meta: fc.record({ progressToken: id, other: fc.jsonValue() }), arguments: fc.jsonValue() }),
    extra: fc.jsonValue(),
  },
  { requiredKeys: ['id'], noNullPrototype: true },
);

test('a message with another id and progress token is the same message but for these', () => {
  fc.assert(
    fc.property(message, fc.integer({ min: 0, max: 4 }), (one, space) => {
      const bytes = Buffer.from(JSON.stringify(one, null, space));
      const spans = readSpans(bytes);
      if (spans?.id === undefined) throw new Error('no id found');
      expect(JSON.parse(textAt(bytes, spans.id))).toEqual(one.id);
      const changes = [{ at: spans.id, text: '7' }, ...(spans.token === undefined ? [] : [{ at: spans.token, text: '7' }])];
      const changed = replaceSpans(
        bytes,
        changes.toSorted((a, b) => a.at.start - b.at.start),
      );
      const expected = JSON.parse(JSON.stringify(one)) as Record<string, unknown>;
      expected['id'] = 7;
      const params = expected['params'] as { _meta?: Record<string, unknown> } | undefined;
      if (params?._meta !== undefined && 'progressToken' in params._meta) params._meta['progressToken'] = 7;
      expect(JSON.parse(changed.toString())).toEqual(expected);
    }),
  );
});

test('no text makes it fail, and what JSON takes for an object it takes too', () => {
  expect.hasAssertions();
  const texts = fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'id', ' ', '\n') }));
  fc.assert(
    fc.property(texts, (text) => {
      const spans = readSpans(Buffer.from(text));
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        return;
      }
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      if (!isObject) expect(spans).toBeUndefined();
    }),
  );
});

test.each([
  ['an id twice', '{"id":1,"id":2}'],
  ['an id twice, once in escapes', '{"id":1,"\\u0069d":2}'],
  ['a token twice', '{"id":1,"params":{"_meta":{"progressToken":1,"progressToken":2}}}'],
  ['params twice', '{"id":1,"params":{"_meta":{"progressToken":1}},"params":{}}'],
  ['something after it', '{"id":1}{"id":2}'],
  ['an end too early', '{"id":1,"result":{"a":[1,2}'],
  ['an array', '[{"id":1}]'],
  ['words', 'Server listening on stdio'],
])('%s is no message', (_, text) => {
  expect(readSpans(Buffer.from(text))).toBeUndefined();
});
