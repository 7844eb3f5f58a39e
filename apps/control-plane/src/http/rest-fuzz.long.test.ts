import { expect, test } from 'vitest';
import { startFuzzing } from '../testing/fuzz-routes.js';

test('two hundred requests to each route, near what it takes, are answered as the OpenAPI document says', async () => {
  const fuzzing = await startFuzzing();
  try {
    const faults: string[] = [];
    for (const operation of fuzzing.operations)
      await fuzzing.fuzz(operation, 200).catch((error: unknown) => faults.push(`${operation.method} ${operation.path}: ${String(error)}`));
    expect(faults).toEqual([]);
  } finally {
    await fuzzing.close();
  }
});
