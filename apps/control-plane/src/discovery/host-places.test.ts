import { expect, test } from 'vitest';
import { HostPlaces } from './host-places.js';

test('a host has so many places and no more, and nothing is kept of one that is left', () => {
  const places = new HostPlaces(2);
  const first = places.take('a:443');
  const second = places.take('a:443');
  expect([typeof first, typeof second, places.take('a:443'), typeof places.take('b:443')]).toEqual(['function', 'function', undefined, 'function']);
  first?.();
  first?.(); // said twice, it is one place all the same
  expect([typeof places.take('a:443'), places.take('a:443')]).toEqual(['function', undefined]);
});
