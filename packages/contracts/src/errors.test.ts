import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorTable, problemTable } from './errors.js';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `([\w.]+)` +\| (\d+)[^|]*\|(?: (-\d+) +\|)?/gm)].map(([, code, status, jsonRpc]) => ({ code, status, jsonRpc }));

test('docs/errors.md explains every error with the status and code it has', () => {
  const errors = Object.entries(errorTable).map(([code, { httpStatus, jsonRpcCode }]) => ({
    code,
    status: String(httpStatus),
    jsonRpc: String(jsonRpcCode),
  }));
  const problems = Object.entries(problemTable).map(([code, { status }]) => ({ code, status: String(status), jsonRpc: undefined }));
  expect(rows).toEqual([...errors, ...problems]);
});

test('no error of ours uses a code of another meaning', () => {
  const specified = new Set([-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022]);
  for (const { jsonRpcCode } of Object.values(errorTable)) {
    expect(specified.has(jsonRpcCode) || (jsonRpcCode <= -32000 && jsonRpcCode >= -32019)).toBe(true);
  }
});
