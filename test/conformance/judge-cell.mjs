/** How many scenarios each revision's requirements score; fewer would mean that the suite left some out. */
export const scoredScenarios = { '2025-11-25': 30, '2026-07-28': 37 };

/**
 * What one cell's results are worth: counts, and every fault. A scored scenario that fails has to be among the expected ones, and an expected one
 * has to fail: that file only shrinks.
 */
export function judgeCell({ requirements, results, expected }) {
  const scored = results.filter(({ isScored }) => isScored);
  const unscored = results.filter(({ isScored }) => !isScored);
  const failing = new Map(scored.filter(({ failed }) => failed > 0).map((result) => [result.name, result]));
  const unexpected = [...failing.values()].filter(({ name }) => !expected.includes(name));
  const stale = expected.filter((name) => !failing.has(name));
  const wanted = scoredScenarios[requirements];
  return {
    scored: { passed: scored.length - failing.size, total: scored.length },
    unscored: { passed: unscored.filter(({ failed }) => failed === 0).length, total: unscored.length },
    expected: expected.length - stale.length,
    faults: [
      ...unexpected.map(({ name, faults }) => `${name} fails: ${faults.join('; ')}`),
      ...stale.map((name) => `${name} is listed in expected-failures.yml and passes: take it out`),
      ...(wanted === undefined || scored.length === wanted ? [] : [`${scored.length} scenarios are scored, and not ${wanted}`]),
    ],
  };
}
