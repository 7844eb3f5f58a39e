import { openDatabase } from '@portcullis/database';
import { freshDatabase } from '@portcullis/testing';
import { expect, test, vi } from 'vitest';
import { isUnavailable } from './is-unavailable.js';

test('a database whose connections are all taken counts as unavailable', async () => {
  const own = await freshDatabase();
  const database = openDatabase(own.url, 1, 100);
  // The one connection is opened first: on a busy machine that alone may take longer than this is patient.
  await vi.waitFor(() => database.agent.count(), 20_000);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const holding = database.$transaction(async (tx) => {
    await tx.agent.count();
    begin();
    await ended;
  });
  await begun;
  for (const work of [() => database.agent.count(), () => database.$transaction(async (tx) => tx.agent.count())]) {
    const error: unknown = await work().catch((reason: unknown) => reason);
    expect(isUnavailable(error), String(error)).toBe(true);
  }
  end();
  await holding;
  await database.$disconnect();
  await own.drop();
});
