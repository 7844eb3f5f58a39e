import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bearerMatches, BearerMemory, hashBearer, newBearer, parseBearer, type BearerKind } from './bearer.js';

const kinds: BearerKind[] = ['agent', 'operator', 'node', 'join'];
const anyKind = fc.constantFrom(...kinds);
const pepper = Buffer.alloc(32, 7);

test('a bearer secret is taken apart at its own door and at no other', () => {
  fc.assert(
    fc.property(anyKind, anyKind, (made, door) => {
      const { token, id, secret } = newBearer(made);
      expect(parseBearer(door, token)).toEqual(made === door ? { id, secret } : undefined);
    }),
  );
});

test('a bearer secret has the documented shape', () => {
  expect(newBearer('agent').token).toMatch(/^gw_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
  expect(newBearer('operator').token).toMatch(/^op_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
  expect(newBearer('node').token).toMatch(/^node_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
  expect(newBearer('join').token).toMatch(/^join_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
});

test('a token with anything added, missing or foreign is refused', () => {
  const { token } = newBearer('agent');
  const wrong = ['', 'gw_', ` ${token}`, `${token} `, `${token}\n`, `${token},`, token.slice(0, -1), `${token}A`, token.toUpperCase()];
  wrong.push(token.replace('gw_', 'gw-'), `gw_${'é'.repeat(16)}_${'A'.repeat(43)}`, `gw_${'a'.repeat(16)}_${'='.repeat(43)}`, 'gw_'.repeat(3000));
  wrong.push(`gw_${'a'.repeat(16)}_${'A'.repeat(42)}B`); // a second spelling of the same 32 bytes
  for (const text of wrong) expect(parseBearer('agent', text)).toBeUndefined();
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(anyKind, fc.string({ unit: 'binary', maxLength: 100 }), (kind, text) => {
      expect(parseBearer(kind, text)).toBeUndefined();
    }),
  );
});

test('only the right secret under the right pepper matches the kept hash', () => {
  fc.assert(
    fc.property(anyKind, fc.nat(42), (kind, place) => {
      const { secret } = newBearer(kind);
      const kept = hashBearer(pepper, secret);
      const changed = secret.slice(0, place) + (secret[place] === 'A' ? 'B' : 'A') + secret.slice(place + 1);
      expect(kept).not.toContain(secret);
      expect(bearerMatches(pepper, secret, kept)).toBe(true);
      expect(bearerMatches(pepper, changed, kept)).toBe(false);
      expect(bearerMatches(Buffer.alloc(32, 8), secret, kept)).toBe(false);
    }),
  );
});

test('a kept hash that is empty or cut short matches nothing', () => {
  const { secret } = newBearer('agent');
  const kept = hashBearer(pepper, secret);
  for (const damaged of ['', kept.slice(0, -1), `${kept}AAAA`, '%']) expect(bearerMatches(pepper, secret, damaged)).toBe(false);
});

test('what was matched once is forgotten with its pepper, its kept hash and its owner, and lets no other secret in', () => {
  const { secret } = newBearer('agent');
  const other = newBearer('agent').secret;
  const storedHash = hashBearer(pepper, secret);
  const owner = {};
  const memory = new BearerMemory();
  for (let time = 0; time < 3; time += 1) {
    expect(memory.matches(owner, pepper, { secret, storedHash })).toBe(true);
    expect(memory.matches(owner, pepper, { secret: other, storedHash })).toBe(false);
    expect(memory.matches(owner, pepper, { secret, storedHash: hashBearer(pepper, other) })).toBe(false);
    expect(memory.matches(owner, Buffer.alloc(32, 8), { secret, storedHash })).toBe(false);
    expect(memory.matches({}, pepper, { secret: other, storedHash })).toBe(false);
  }
});
