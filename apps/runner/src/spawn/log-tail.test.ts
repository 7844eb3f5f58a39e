import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogTail } from './log-tail.js';

const SECRET = 'c4nary-s3cret/+value';

test('a secret of the environment is never in the log, however it comes', () => {
  const forms = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64')];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...forms), fc.constant('\n'))), fc.array(fc.nat(400)), (words, cuts) => {
      const log = new LogTail(10_000, { TOKEN: SECRET });
      const all = Buffer.from(words.join(''));
      const places = [0, ...cuts.filter((cut) => cut < all.length).toSorted((a, b) => a - b), all.length];
      for (let at = 1; at < places.length; at += 1) {
        log.push(all.subarray(places[at - 1], places[at]));
        for (const form of forms) expect(log.read()).not.toContain(form);
      }
    }),
  );
});

test('what was written stays readable, and is bounded', () => {
  const log = new LogTail(100, { TOKEN: SECRET });
  log.push(Buffer.from(`started with ${SECRET}\u001b[31m\n`));
  expect(log.read()).toBe('started with [secret TOKEN]\ufffd[31m\n');
  log.push(Buffer.from('z'.repeat(1000)));
  log.note(`it said ${SECRET}`);
  expect(log.read()).toHaveLength(100);
  expect(log.read().endsWith('z\n[runner] it said [secret TOKEN]\n')).toBe(true);
});

test('a secret of several lines is not told line by line', () => {
  const log = new LogTail(1000, { KEY: '-----BEGIN-----\nMIIEvQIBADAN\n-----END-----' });
  log.push(Buffer.from('key line: MIIEvQIBADAN\n'));
  expect(log.read()).toBe('key line: [secret KEY]\n');
});

test('a text that is cut in the middle of a character is well-formed all the same', () => {
  const log = new LogTail(99, { TOKEN: SECRET });
  log.push(Buffer.from('\u{1f600}'.repeat(60)));
  expect(log.read()).toHaveLength(99);
  expect(log.read().isWellFormed()).toBe(true);
  expect(log.cleaned(`refused: ${SECRET}\0`)).toBe('refused: [secret TOKEN]\ufffd');
});
