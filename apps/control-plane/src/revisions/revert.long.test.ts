import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { actions, makeChanges, policyOf, revert, world } from '../testing/revertible-world.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

test('any run of changes, reverted last to first, leaves policy as it was', async () => {
  let run = 0;
  const property = fc.asyncProperty(fc.array(fc.constantFrom(...actions), { minLength: 1, maxLength: 8 }), async (wanted) => {
    const w = await world(own, `r${(run += 1)}`);
    const before = await policyOf(own);
    const revisions = await makeChanges(w, wanted);
    for (const revision of revisions.toReversed()) {
      const answer = await revert(own, revision);
      expect(answer.status, answer.text).toBe(200);
    }
    expect(await policyOf(own)).toEqual(before);
  });
  await fc.assert(property, { numRuns: 60 });
});
