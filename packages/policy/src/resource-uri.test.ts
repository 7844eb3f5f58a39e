import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalUri, deniedForm, isCanonicalUri } from './resource-uri.js';

describe('the normal form of a URI', () => {
  test.each([
    ['file:///docs/%73ecret', 'file:///docs/secret'],
    ['file:///docs/%7euser', 'file:///docs/~user'],
    ['file:///docs/a%2fb', 'file:///docs/a%2Fb'],
    ['file:///docs/x/../secret', 'file:///docs/secret'],
    ['file:///docs/x/%2e%2E/secret', 'file:///docs/secret'],
    ['file:///docs/./secret', 'file:///docs/secret'],
    ['file:///../..', 'file:///'],
    ['mem:a/../b', 'mem:b'],
    ['FILE:///docs/secret', 'file:///docs/secret'],
    ['https://EXAMPLE.com/A', 'https://example.com/A'],
    ['github://Owner/repo', 'github://Owner/repo'],
    ['file:///docs/sec\tret', 'file:///docs/sec%09ret'],
    ['file:///docs\\secret', 'file:///docs%5Csecret'],
    ['file:///100%', 'file:///100%25'],
    ['file:///caf\u00e9', 'file:///caf%C3%A9'],
    ['file:///\ud800', 'file:///%EF%BF%BD'],
    ['x://a?q=./..&r=%41#./b', 'x://a?q=./..&r=A#./b'],
  ])('of %j is %j', (uri, normal) => {
    expect(canonicalUri(uri)).toBe(normal);
    expect([isCanonicalUri(uri), isCanonicalUri(normal)]).toEqual([uri === normal, true]);
  });

  test('is that of itself, and only its own denied form', () => {
    const text = fc.oneof(fc.webUrl(), fc.string({ unit: fc.constantFrom(...'aA%2e5fF/.:?#\\ é\u0000'.split('')) }));
    fc.assert(
      fc.property(text, (uri) => {
        const normal = canonicalUri(uri);
        expect(canonicalUri(normal)).toBe(normal);
        expect(deniedForm(normal)).toBe(deniedForm(uri));
      }),
    );
  });
});

test.each([
  'file:///docs/secret',
  'file:///docs%2Fsecret',
  'file:///docs%2fx%2F..%2fsecret',
  'file:///docs/%FF%2F..%2Fsecret',
  'file:///docs/%73ecret',
  'file:///x/../docs/secret',
])('%s is compared with what is denied as what servers read in it', (uri) => {
  expect(deniedForm(uri)).toBe('file:///docs/secret');
});
