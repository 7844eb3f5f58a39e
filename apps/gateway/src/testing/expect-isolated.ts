import { expect } from 'vitest';
import type { SoakOutcome } from './isolation-soak.js';

/** Every agent was served, nobody got a byte of another, nothing ran twice, and the trail names the right one each time. */
export function expectIsolated({ agents, report, servers, misattributed }: SoakOutcome): void {
  expect(report.foreign).toEqual([]);
  expect([...report.calls.keys()].toSorted()).toEqual(agents.toSorted());
  expect(report.cancels).toBeGreaterThan(agents.length);
  expect(report.hangUps).toBeGreaterThan(agents.length);
  for (const { arrivals, ownersOfSession } of servers) {
    expect([...arrivals].filter(([, times]) => times > 1)).toEqual([]);
    expect([...ownersOfSession.values()].filter((owners) => owners.size > 1)).toEqual([]);
  }
  expect(servers.some(({ ownersOfSession }) => ownersOfSession.size > agents.length)).toBe(true);
  expect(misattributed).toEqual([]);
}
