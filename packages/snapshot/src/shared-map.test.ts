import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SharedMap } from './shared-map.js';

test('after any changes it says what a map of its own would say, and the maps before say what they said', () => {
  const key = fc.oneof(fc.uuid(), fc.constantFrom('a', 'b', '', 'ab', 'ba'));
  const step = fc.array(fc.record({ key, value: fc.option(fc.nat()) }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
      let [shared, plain] = [new SharedMap<number>(), new Map<string, number>()];
      const kept: [SharedMap<number>, Map<string, number>][] = [];
      for (const changes of steps) {
        const edit = shared.edit();
        plain = new Map(plain);
        for (const change of changes) {
          if (change.value === null) {
            edit.delete(change.key);
            plain.delete(change.key);
          } else {
            edit.set(change.key, change.value);
            plain.set(change.key, change.value);
          }
          expect([edit.has(change.key), edit.get(change.key)]).toEqual([plain.has(change.key), plain.get(change.key)]);
        }
        shared = edit.done();
        kept.push([shared, plain]);
      }
      for (const [is, should] of kept) {
        expect(new Map(is)).toEqual(should);
        expect([is.size, new Set(is.keys()), [...is.values()].length]).toEqual([should.size, new Set(should.keys()), should.size]);
        for (const [each, value] of should) expect([is.has(each), is.get(each)]).toEqual([true, value]);
        expect([is.has('never'), is.get('never')]).toEqual([false, undefined]);
      }
    }),
  );
});

test('a change shares all but what it touches, and no change is the same map', () => {
  const edit = new SharedMap<object>().edit();
  for (let at = 0; at < 10_000; at += 1) edit.set(`key-${at}`, {});
  const before = edit.done();
  expect(before.edit().done()).toBe(before);
  const changed = before.edit();
  changed.set('key-5', {});
  const after = changed.done();
  expect([...after].filter(([key, value]) => before.get(key) !== value).map(([key]) => key)).toEqual(['key-5']);
  expect([...after.keys()]).toEqual([...before.keys()]); // in the same order, so that lists of both can be compared place by place
});
