import { expect, test } from 'vitest';
import { expectedIn } from './expected-failures.mjs';
import { judgeCell } from './judge-cell.mjs';
import { parseSummary } from './run-suite.mjs';

const cell = { requirements: 'none', fixture: 'both-eras', endpoint: 'server' };
const result = (name: string, failed: number, isScored = true) => ({ name, passed: 1, failed, isScored, faults: failed > 0 ? ['why'] : [] });

test('a scored scenario that fails is a fault unless it is expected to', () => {
  const results = [result('a', 1), result('b', 0), result('c', 1, false)];
  expect(judgeCell({ ...cell, results, expected: [] })).toEqual({
    scored: { passed: 1, total: 2 },
    unscored: { passed: 0, total: 1 },
    expected: 0,
    faults: ['a fails: why'],
  });
  expect(judgeCell({ ...cell, results, expected: ['a'] })).toMatchObject({ expected: 1, faults: [] });
});

test('the list of expected failures only shrinks: one that passes, or is not run at all, is a fault', () => {
  const { faults } = judgeCell({ ...cell, results: [result('a', 0)], expected: ['a', 'gone'] });
  expect(faults).toHaveLength(2);
});

test('a suite that leaves scenarios out has not passed', () => {
  const { faults } = judgeCell({ requirements: '2025-11-25', results: [result('a', 0)], expected: [] });
  expect(faults).toEqual(['1 scenarios are scored, and not 30']);
});

test('an entry counts in the cells it names, and in all where it names none', () => {
  const entry = { scenario: 'a', requirements: '2025-11-25', reason: 'why' };
  const named = { ...entry, scenario: 'b', fixtures: ['legacy-only'], endpoints: ['all'] };
  const at = (fixture: string, endpoint: string) => expectedIn([entry, named], { requirements: '2025-11-25', fixture, endpoint });
  expect(at('both-eras', 'server')).toEqual(['a']);
  expect(at('legacy-only', 'server')).toEqual(['a']);
  expect(at('legacy-only', 'all')).toEqual(['a', 'b']);
});

test("the suite's summary tells scored scenarios from the others", () => {
  const output = `=== SUMMARY ===
✓ ping: 2 passed, 0 failed
✗ tasks-lifecycle: 1 passed, 8 failed

Total: 3 passed, 8 failed

Not scored for 2026-07-28: 1 scenario(s) run, 1 failing. These do not affect conformance.
  ✗ tasks-lifecycle (extension)
`;
  expect(parseSummary(output)).toEqual([
    { name: 'ping', passed: 2, failed: 0, isScored: true },
    { name: 'tasks-lifecycle', passed: 1, failed: 8, isScored: false },
  ]);
});
