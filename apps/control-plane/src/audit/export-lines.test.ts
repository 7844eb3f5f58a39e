import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { visibleText } from '../http/visible-text.js';
import { csvCell } from './export-lines.js';

test('no text begins a formula, and all of it can be read back, with what nobody sees written out', () => {
  const starts = fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', ' =', '\uff1d', '"', "'", '');
  fc.assert(
    fc.property(starts, fc.string({ unit: 'binary' }), (start, rest) => {
      const text = start + rest;
      const [[read, next] = []] = parse(`${csvCell(text)},end\r\n`, { record_delimiter: '\r\n' }) as string[][];
      expect(next).toBe('end');
      const shown = visibleText(text);
      expect([shown, `'${shown}`]).toContain(read);
      expect(read).not.toMatch(/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/u);
    }),
  );
});

test('numbers stay numbers, and nothing is nothing', () => {
  expect([csvCell(-5), csvCell(1.5), csvCell(null), csvCell(undefined), csvCell(true)]).toEqual(['-5', '1.5', '', '', 'true']);
});
