import { expect, test } from 'vitest';
import { scramVerifier } from './scram-verifier.js';

test('a verifier does not show its password and differs each time', () => {
  const [first, second] = [scramVerifier('correct horse'), scramVerifier('correct horse')];
  expect(first).toMatch(/^SCRAM-SHA-256\$4096:[\w+/=]{24}\$[\w+/=]{44}:[\w+/=]{44}$/);
  expect(first).not.toContain('correct horse');
  expect(second).not.toBe(first);
});

test('refuses a password that would need SASLprep', () => {
  expect(() => scramVerifier('pässword')).toThrow('printable ASCII');
  expect(() => scramVerifier('')).toThrow('printable ASCII');
});
