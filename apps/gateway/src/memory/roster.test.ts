import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NOWHERE, Roster } from './roster.js';

test('a roster holds whoever was added and not removed, each once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
      const members = Array.from({ length: 10 }, () => ({ rosterPlace: NOWHERE }));
      const roster = new Roster<{ rosterPlace: number }>();
      const expected = new Set<object>();
      for (const [adds, at] of steps) {
        const member = members[at] ?? { rosterPlace: NOWHERE };
        if (adds) roster.add(member);
        else roster.remove(member);
        if (adds) expected.add(member);
        else expected.delete(member);
      }
      const found: object[] = [];
      roster.forEach((member) => {
        found.push(member);
        roster.remove(member);
      });
      expect(new Set(found)).toEqual(expected);
      expect(found).toHaveLength(expected.size);
      roster.forEach(() => expect.unreachable());
    }),
  );
});
