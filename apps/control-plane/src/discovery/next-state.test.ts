import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextState } from './next-state.js';

const state = fc.constantFrom('pending', 'approved', 'changed', 'rejected', 'removed');
const hash = fc.constantFrom('a', 'b', 'c');

test('a definition is served only under the hash that was approved', () => {
  fc.assert(
    fc.property(state, hash, fc.option(hash), hash, (before, known, approvedHash, offered) => {
      const after = nextState({ state: before, hash: known, approvedHash }, offered);
      expect(after === 'approved').toBe(approvedHash === offered);
    }),
  );
});

test('what was rejected stays rejected until it changes', () => {
  expect(nextState({ state: 'rejected', hash: 'a', approvedHash: null }, 'a')).toBe('rejected');
  expect(nextState({ state: 'rejected', hash: 'a', approvedHash: null }, 'b')).toBe('pending');
});

test('an approved definition that comes back unchanged is approved again', () => {
  expect(nextState({ state: 'removed', hash: 'a', approvedHash: 'a' }, 'a')).toBe('approved');
  expect(nextState({ state: 'changed', hash: 'b', approvedHash: 'a' }, 'a')).toBe('approved');
});
