import { openDatabase } from '@portcullis/database';
import { expect, test } from 'vitest';
import { isUnavailable } from './is-unavailable.js';

test('a database that nobody runs counts as unavailable, inside a transaction as well', async () => {
  const nowhere = openDatabase('postgresql://nobody@127.0.0.1:1/nothing', 1);
  for (const work of [() => nowhere.agent.count(), () => nowhere.$queryRaw`SELECT 1`, () => nowhere.$transaction(async (tx) => tx.agent.count())]) {
    const error: unknown = await work().catch((reason: unknown) => reason);
    expect(isUnavailable(error), `${String(error)}`).toBe(true);
  }
  expect(isUnavailable(new Error('something else'))).toBe(false);
  await nowhere.$disconnect();
});
