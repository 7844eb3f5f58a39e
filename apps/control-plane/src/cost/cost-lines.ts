import type { Costs } from '@portcullis/contracts/api/costs';
import { csvCell } from '../audit/export-lines.js';

const named = ['agent', 'owner', 'groups', 'server', 'tool', 'month', 'day'] as const;

/** Costs as CSV (RFC 4180): the names that the rows have, and amounts in millionths, which a spreadsheet does not round. */
export function costCsv({ rows }: Costs): string {
  const names = named.filter((name) => rows.some((row) => row[name] !== undefined));
  const lines = rows.map((row) => {
    const cells = names.map((name) => (name === 'groups' ? row.groups?.join(' ') : row[name]));
    return [...cells.map((cell) => csvCell(cell)), row.currency, String(row.calls), row.costMicros].join(',');
  });
  return [[...names, 'currency', 'calls', 'costMicros'].join(','), ...lines, ''].join('\r\n');
}
