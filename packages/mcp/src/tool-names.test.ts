import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildNameTable, canonicalName, wireName, type NameEntry, type ToolNameStyle } from './tool-names.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const STYLES: ToolNameStyle[] = ['double-underscore', 'colon', 'dot'];
const SEPARATOR = { 'double-underscore': '__', colon: ':', dot: '.' };

describe('wireName', () => {
  it.each([
    ['double-underscore', 'github__create_issue'],
    ['colon', 'github:create_issue'],
    ['dot', 'github.create_issue'],
  ] as const)('a plain name is joined readably in style %s', (style, wire) => {
    expect(wireName(style, 'github', 'create_issue', sha256)).toBe(wire);
  });

  it.each(['a b', 'repo.list', 'x:y', 'größe', '👍', '', 'x'.repeat(200), 'a\n', '../a', '%00'])(
    '%j becomes a name every model API accepts',
    (original) => {
      for (const style of STYLES) {
        const wire = wireName(style, 'github', original, sha256);
        expect(wire.length).toBeLessThanOrEqual(64);
        expect(wire.replace(SEPARATOR[style], '')).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(wire).toBe(wireName(style, 'github', original, sha256));
      }
    },
  );

  it('a name of exactly 64 characters is kept and one of 65 is shortened', () => {
    const kept = 'x'.repeat(64 - 'github__'.length);
    expect(wireName('double-underscore', 'github', kept, sha256)).toBe(`github__${kept}`);
    const cut = wireName('double-underscore', 'github', `${kept}x`, sha256);
    expect(cut).toHaveLength(64);
    expect(cut).toMatch(/^github__x+_[0-9a-f]{10}$/);
  });

  it('a tool cannot be named so that it takes the shortened name of another', () => {
    const victim = wireName('double-underscore', 'github', 'read file', sha256);
    expect(wireName('double-underscore', 'github', victim.slice('github__'.length), sha256)).not.toBe(victim);
  });
});

const hostileName = fc.oneof(
  fc.constantFrom(
    'a__b',
    '__b',
    'b',
    '_',
    '',
    'constructor',
    '__proto__',
    'toString',
    'a:b',
    ':',
    'a.b',
    'x'.repeat(200),
    'read file',
    'READ',
    'read',
  ),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ unit: fc.constantFrom('a', '_', '-', ':', '.', '1'), maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const slug = fc.oneof(
  fc.constantFrom('a', 'b', 'a-b', 'github', 'constructor', 'x'.repeat(32)),
  fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/),
);
const entry = fc.record({ slug, name: hostileName });
const hostileEntry = fc.record({ slug: fc.oneof(slug, hostileName), name: hostileName });
const key = (e: NameEntry): string => JSON.stringify([e.slug, e.name]);

describe('buildNameTable', () => {
  it('every tool has a wire name of its own that leads back to it, whatever servers call their tools', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STYLES), fc.array(hostileEntry, { maxLength: 40 }), (style, random) => {
        // Names that spell another tool's wire name are the interesting ones.
        const echoes = random.map((e) => ({
          slug: e.slug,
          name: wireName(style, e.slug, e.name, sha256).slice(e.slug.length + SEPARATOR[style].length),
        }));
        const entries = [...random, ...echoes, ...random];
        const table = buildNameTable(style, entries, sha256);
        const wires = new Set<string>();
        const distinct = new Map(entries.map((e) => [key(e), e]));
        for (const e of distinct.values()) {
          const wire = table.toWire(e.slug, e.name) ?? '';
          expect(wire.length).toBeLessThanOrEqual(64);
          expect(table.fromWire(wire)).toEqual(e);
          wires.add(wire);
        }
        expect(wires.size).toBe(distinct.size);
      }),
      { numRuns: 400 },
    );
  });

  it('the canonical form leads to the same tool in every style', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STYLES), fc.array(entry, { maxLength: 30 }), (style, entries) => {
        const table = buildNameTable(style, entries, sha256);
        for (const e of entries) expect(table.fromWire(canonicalName(e.slug, e.name))).toEqual(e);
      }),
    );
  });

  it('wire names do not depend on the order of the entries', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STYLES), fc.array(hostileEntry, { maxLength: 20 }), (style, entries) => {
        const forth = buildNameTable(style, entries, sha256);
        const back = buildNameTable(style, entries.toReversed(), sha256);
        for (const e of entries) expect(back.toWire(e.slug, e.name)).toBe(forth.toWire(e.slug, e.name));
      }),
    );
  });

  it('stays a bijection when every hash collides', () => {
    let calls = 0;
    const collide = (text: string): string => (text.includes('\n') ? sha256(`${text}${String((calls += 1))}`) : '0'.repeat(64));
    const entries = ['a b', 'a  b', 'a.b', 'a:b'].map((name) => ({ slug: 's', name }));
    const table = buildNameTable('double-underscore', entries, collide);
    for (const e of entries) expect(table.fromWire(table.toWire(e.slug, e.name) ?? '')).toEqual(e);
  });

  it.each([
    'a:b:c',
    ':b',
    'a:',
    ':',
    '::',
    'ab',
    'a：b',
    'a\u200b:b',
    'a%3Ab',
    'A:b',
    'a :b',
    'a:b\n',
    '__proto__:x',
    'constructor:toString',
    'hasOwnProperty:x',
    '',
  ])('%j is nobody: exact look-up, no normalisation', (wire) => {
    expect(buildNameTable('double-underscore', [{ slug: 'a', name: 'b' }], sha256).fromWire(wire)).toBeUndefined();
  });
});
