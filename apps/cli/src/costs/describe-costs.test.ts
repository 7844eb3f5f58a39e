import { expect, test } from 'vitest';
import { describeCosts } from './costs-command.js';

test('amounts are shown to the last millionth, however large, and names cannot act on the terminal', () => {
  const row = { agent: 'a\u001b[2J', currency: 'EUR', calls: 2, costMicros: '90071992547409930001' };
  const lines = describeCosts({ from: 'x', to: 'y', rows: [row], totals: [{ currency: 'EUR', calls: 2, costMicros: '5' }] }).split('\n');
  expect(lines[0]).toContain('90071992547409.930001 EUR  a[2J, 2 calls');
  expect(lines[1]).toContain(' 0.000005 EUR  in all');
});
