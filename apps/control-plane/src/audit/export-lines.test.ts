import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csvCell } from './export-lines.js';

test('no text begins a formula, and all of it can be read back', () => {
  const starts = fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', ' =', '\uff1d', '"', "'", '');
  fc.assert(
    fc.property(starts, fc.string({ unit: 'binary' }), (start, rest) => {
      const text = start + rest;
      const [[read, next] = []] = parse(`${csvCell(text)},end\r\n`, { record_delimiter: '\r\n' }) as string[][];
      expect(next).toBe('end');
      expect(read === text || read === `'${text}`).toBe(true);
      expect(read).not.toMatch(/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/u);
    }),
  );
});

test('numbers stay numbers, and nothing is nothing', () => {
  expect([csvCell(-5), csvCell(1.5), csvCell(null), csvCell(undefined), csvCell(true)]).toEqual(['-5', '1.5', '', '', 'true']);
});
