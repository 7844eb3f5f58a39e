import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerMemory, type MemoryClaim } from './answer-memory.js';

const limits = { all: 100, ofAgent: 40, ofServer: 60 };
const claim = (agentId: string, serverId: string, bytes: number): MemoryClaim => ({ agentId, serverId, bytes });

test('an agent waits for its own answers, and others do not wait for it', () => {
  const memory = new AnswerMemory(limits);
  const first = claim('a', 's', 30);
  const letIn: string[] = [];
  expect(memory.take(first, () => undefined)).toBe(true);
  expect(memory.take(claim('a', 't', 20), () => letIn.push('a'))).toBe(false);
  expect(memory.take(claim('b', 's', 30), () => undefined)).toBe(true);
  expect(memory.take(claim('c', 's', 1), () => letIn.push('c'))).toBe(false); // the server has its share
  expect(memory.take(claim('c', 't', 40), () => undefined)).toBe(true);
  memory.release(first);
  expect(letIn).toEqual(['a']); // c has its own share by now
});

test('an answer larger than a share is let in where nothing else is held', () => {
  const memory = new AnswerMemory(limits);
  expect(memory.take(claim('a', 's', 500), () => undefined)).toBe(true);
  expect(memory.take(claim('b', 't', 1), () => undefined)).toBe(false);
});

test('a claim given up while it waits leaves nothing behind', () => {
  const memory = new AnswerMemory(limits);
  const [held, waiting] = [claim('a', 's', 40), claim('a', 's', 40)];
  memory.take(held, () => undefined);
  memory.take(waiting, () => expect.unreachable());
  memory.release(waiting);
  memory.release(held);
  expect(memory.take(claim('a', 's', 40), () => undefined)).toBe(true);
});

test('whatever comes and goes, everybody is let in at last, and shares are exceeded only by a single claim', () => {
  const asked = fc.record({ agent: fc.constantFrom('a', 'b', 'c'), server: fc.constantFrom('s', 't'), bytes: fc.integer({ min: 1, max: 120 }) });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (all, choices) => {
      const memory = new AnswerMemory(limits);
      const inside = new Set<MemoryClaim>();
      let entered = 0;
      const enter = (one: MemoryClaim): void => {
        inside.add(one);
        entered += 1;
        const sum = (of: (held: MemoryClaim) => boolean): number[] => [...inside].filter(of).map(({ bytes }) => bytes);
        for (const [mine, max] of [
          [sum(() => true), limits.all],
          [sum(({ agentId }) => agentId === one.agentId), limits.ofAgent],
          [sum(({ serverId }) => serverId === one.serverId), limits.ofServer],
        ] as const)
          expect(mine.length === 1 || mine.reduce((total, bytes) => total + bytes, 0) <= max).toBe(true);
      };
      for (const { agent, server, bytes } of all) {
        const one = claim(agent, server, bytes);
        if (memory.take(one, () => enter(one))) enter(one);
      }
      while (inside.size > 0) {
        const list = [...inside];
        const leaving = list[(choices.next().value as number) % list.length] as MemoryClaim;
        inside.delete(leaving);
        memory.release(leaving);
      }
      expect(entered).toBe(all.length);
    }),
  );
});
