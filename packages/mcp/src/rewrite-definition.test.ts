import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsAt, membersAt, skipValue } from './json-scan.js';
import { hideArguments, removeMember, rewriteListEntry } from './rewrite-definition.js';

const object = fc
  .dictionary(fc.oneof(fc.constantFrom('name', 'a', 'na"me', 'x\\'), fc.string()), fc.jsonValue(), { maxKeys: 6 })
  .filter((o) => !Object.hasOwn(o, '__proto__'));
const spaces = fc.constantFrom(undefined, 1, '\t');

describe('rewriteListEntry', () => {
  it('gives what parsing, renaming and encoding would give', () => {
    fc.assert(
      fc.property(object, fc.jsonValue(), fc.string(), spaces, (rest, name, newName, indent) => {
        const text = JSON.stringify({ ...rest, name }, null, indent);
        expect(JSON.parse(rewriteListEntry(text, newName))).toEqual({ ...(JSON.parse(text) as object), name: newName });
      }),
    );
  });

  it('keeps every other byte', () => {
    expect(rewriteListEntry('{ "x":1.0,"n\\u0061me" :\n"old", "o":{"name":"inner"},"y":"\\u0061" }', 's__old')).toBe(
      '{ "x":1.0,"n\\u0061me" :\n"s__old", "o":{"name":"inner"},"y":"\\u0061" }',
    );
  });

  it('leaves no duplicate under the old name', () => {
    expect(rewriteListEntry('{"name":"a","name":{"b":"}"}}', 'c')).toBe('{"name":"c","name":"c"}');
  });

  it('refuses a definition without a name', () => {
    expect(() => rewriteListEntry('{"o":{"name":"x"}}', 'c')).toThrow('no member');
  });
});

it('removeMember gives what deleting the key would give', () => {
  fc.assert(
    fc.property(object, fc.constantFrom('name', 'a', 'x\\', 'absent'), spaces, (value, key, indent) => {
      const text = JSON.stringify(value, null, indent);
      const expected = JSON.parse(text) as Record<string, unknown>;
      delete expected[key];
      expect(JSON.parse(removeMember(text, key))).toEqual(expected);
    }),
  );
});

it('offsets of members, elements and values agree with JSON.parse on any valid text', () => {
  fc.assert(
    fc.property(fc.json(), spaces, (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), null, indent);
      const value: unknown = JSON.parse(text);
      expect(skipValue(text, 0)).toBe(text.length);
      const read = (span: { start: number; end: number }): unknown => JSON.parse(text.slice(span.start, span.end));
      const elements = elementsAt(text, 0).map(read);
      const members = membersAt(text, 0).map((member) => [member.key, read(member.value)]);
      expect(elements).toEqual(Array.isArray(value) ? value : []);
      const entries = value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [];
      expect(members).toEqual(entries);
    }),
  );
});

describe('hideArguments', () => {
  it('takes properties and their places in required out of the input schema, and keeps every other byte', () => {
    const json =
      '{"name":"t","inputSchema":{ "type":"object","properties":{"a":{"maximum":1.0},"b":{},"a":{}},"required":["a", "b"] },"properties":{"a":1}}';
    expect(hideArguments(json, ['a'])).toBe(
      '{"name":"t","inputSchema":{ "type":"object","properties":{"b":{}},"required":["b"] },"properties":{"a":1}}',
    );
    expect(hideArguments(json, ['missing'])).toBe(json);
    expect(hideArguments('{"name":"t","inputSchema":{"type":"object"}}', ['a'])).toBe('{"name":"t","inputSchema":{"type":"object"}}');
  });
});
