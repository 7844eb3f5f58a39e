import { setTimeout as pause } from 'node:timers/promises';
import { measureLoad } from './measure-load.mjs';
import { summarizeProfile } from './summarize-profile.mjs';
import { takeCpuProfile } from './take-cpu-profile.mjs';

const PROFILE_SECONDS = 5;

/**
 * Every target at every number of connections, round by round, so that slow changes of the machine's mood fall on all alike. Each row is
 * `{ target, connections, runs }`; `kind` is what the calls are like, for the generator.
 */
export async function measureCalls({ rig, load, rounds, say }, connectionCounts, kind = {}) {
  const rows = connectionCounts.flatMap((connections) => rig.targets.map((target) => ({ target: target.name, connections, runs: [] })));
  for (let round = 1; round <= rounds; round += 1)
    for (const row of rows) {
      const target = rig.targets.find(({ name }) => name === row.target);
      row.runs.push(await told(measureLoad(target, { ...load, ...kind, connections: row.connections }), { ...row, round, say }));
    }
  return rows;
}

/** A profile of the first node while 64 connections call it. */
export async function profileCalls({ rig, load }) {
  const target = rig.targets.at(-1);
  const running = measureLoad(target, { ...load, connections: 64, warmup: 2, seconds: PROFILE_SECONDS });
  await pause(2_000);
  const profile = await takeCpuProfile(target.watch.node[0], PROFILE_SECONDS);
  const result = await running;
  return { profile, summary: summarizeProfile(profile, result.cpuUs.node) };
}

/** Waits for a run and says what it gave. */
export async function told(running, { target, connections, round, say }) {
  const result = await running;
  const failed = result.failed > 0 ? `, ${result.failed} failed: ${JSON.stringify(result.causes ?? {})}` : '';
  say(`round ${round} · ${target} · ${connections} connections: ${Math.round(result.callsPerSecond)} calls/s${failed}`);
  return result;
}
