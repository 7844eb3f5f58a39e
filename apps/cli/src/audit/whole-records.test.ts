import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WholeRecords } from './whole-records.js';

const ids = ['0198c1f0-0000-7000-8000-000000000001', '0198c1f0-0000-7000-8000-000000000002', '0198c1f0-0000-7000-8000-000000000003'];
const forged = '0198c1f0-0000-7000-8000-00000000bad0';

const files = {
  ndjson: ids.map((callId) => `${JSON.stringify({ callId, args: { text: `"\n${forged},` } })}\n`).join(''),
  csv: `callId,arguments\r\n${ids.map((callId) => `${callId},"a ""b""\n${forged},\n"\r\n`).join('')}`,
};

test.each(['ndjson', 'csv'] as const)('an export as %s that breaks off anywhere ends with a whole record, and goes on behind its call', (format) => {
  const file = Buffer.from(files[format]);
  fc.assert(
    fc.property(fc.array(fc.nat(file.length), { maxLength: 8 }), fc.nat(file.length), (cuts, end) => {
      const records = new WholeRecords(format);
      const places = [0, ...cuts.filter((cut) => cut < end).sort((a, b) => a - b), end];
      const given = places.slice(1).map((to, index) => Buffer.from(records.push(file.subarray(places[index], to))));
      const text = Buffer.concat(given).toString();
      const whole = text.split(format === 'csv' ? '\r\n' : '\n').length - 1;
      expect(files[format].startsWith(text)).toBe(true);
      expect(records.bytes).toBe(text.length);
      expect(records.lastCallId).toBe(ids[whole - (format === 'csv' ? 2 : 1)]);
    }),
  );
});
