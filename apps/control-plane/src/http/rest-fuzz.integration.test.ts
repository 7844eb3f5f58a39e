import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFuzzing, type Fuzzing } from '../testing/fuzz-routes.js';

let fuzzing: Fuzzing;
beforeAll(async () => {
  fuzzing = await startFuzzing();
});
afterAll(() => fuzzing.close());

test('whatever comes to any route near what it takes is answered as the OpenAPI document says: no fault of ours, no insides, no hang', async () => {
  expect(fuzzing.operations.length).toBeGreaterThan(100);
  for (const operation of fuzzing.operations) await fuzzing.fuzz(operation, 3);
});
