import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { PlacesAtOnce } from './places-at-once.js';
import { ProblemError } from './problem.js';

const refusal = (): ProblemError => new ProblemError('unavailable', 'all places are taken');

test('of those who come together no more are let in than there are places', async () => {
  const places = new PlacesAtOnce(2, refusal);
  const { promise, resolve } = Promise.withResolvers<void>();
  const comers = Array.from({ length: 5 }, () =>
    places.whileOpen(async () => {
      await promise; // whatever is waited for before there is a stream
      return Readable.from(['a']);
    }),
  );
  const settled = Promise.allSettled(comers);
  resolve();
  const opened = (await settled).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(opened).toHaveLength(2);
  expect(() => places.take()).toThrow('all places are taken');
  const [first] = opened;
  first?.destroy();
  if (first !== undefined) await finished(first).catch(() => undefined);
  const leave = places.take();
  expect(() => places.take()).toThrow('all places are taken');
  leave();
  leave();
  places.take();
  expect(() => places.take()).toThrow('all places are taken');
});

test('a place is left where the work fails', async () => {
  const places = new PlacesAtOnce(1, refusal);
  const fails = (): Promise<never> => Promise.reject(new Error('no'));
  await expect(places.whileOpen(fails)).rejects.toThrow('no');
  await expect(places.during(fails)).rejects.toThrow('no');
  expect(await places.during(async () => 'done')).toBe('done');
});
