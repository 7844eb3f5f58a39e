import { visibleText } from '../http/visible-text.js';
import type { AuditRecord } from '@portcullis/contracts/api/operations';

const columns = [
  'callId',
  'timestamp',
  'method',
  'agent',
  'operator',
  'server',
  'tool',
  'decision',
  'status',
  'reason',
  'durationMs',
  'upstreamMs',
  'revision',
  'grantId',
  'keyId',
  'task',
  'onBehalfOf',
  'claimedAgent',
  'definitionHash',
  'traceId',
  'node',
  'boot',
  'seq',
] as const satisfies readonly (keyof AuditRecord)[];

export const csvHeading = (): string =>
  `${[...columns, 'arguments', 'argumentsTruncated', 'resultBytes', 'resultHash', 'resultSummary', 'argumentsCapture', 'resultCapture'].join(',')}\r\n`;

/** A call as one line of CSV (RFC 4180). */
export function csvLine(record: AuditRecord): string {
  const { args, argsTruncated, argsCapture, result } = record;
  const content = [
    typeof args === 'string' || args === null ? args : JSON.stringify(args),
    argsTruncated,
    result?.bytes,
    result?.hash,
    result?.summary,
    argsCapture,
    result?.capture,
  ];
  return `${[...columns.map((name) => record[name]), ...content].map(csvCell).join(',')}\r\n`;
}

/**
 * One cell that no spreadsheet takes for a formula, and in which nothing hides: what agents and servers wrote begins with an apostrophe where it would begin with one of the
 * characters that start one (CWE-1236). Numbers of ours are left as they are.
 */
export function csvCell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const shown = visibleText(value);
  const safe = /^\s*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]/u.test(shown) ? `'${shown}` : shown;
  return /[",\r\n\t;']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const ndjsonLine = (record: AuditRecord): string => `${visibleText(JSON.stringify(record))}\n`;
