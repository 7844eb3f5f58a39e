import type { Line } from './run-case.js';

export const TABLE_HEAD = [
  '| case | s | calls sent | answered | rows | lost | doubled | p99 ms | before, after | verdict |',
  '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
].join('\n');

/** One row of the report, in Markdown. */
export function tableRow({ name, seconds, sent, answered, rows, lost, doubled, p99Ms, beforeMs, afterMs, wrong }: Line): string {
  const verdict = wrong.length === 0 ? 'holds' : wrong.join('; ').replaceAll('|', '/').replaceAll('\n', ' ');
  return `| ${[name, seconds, sent, answered, rows, lost, doubled, p99Ms, `${beforeMs}, ${afterMs}`, verdict].join(' | ')} |`;
}
