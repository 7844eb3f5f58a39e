import { createRequire } from 'node:module';
import type fastCheck from 'fast-check';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    propertySeed: number;
    propertyTimes: number;
  }
}

/** How long the additional runs of one property may take, for each time that it is to run. */
const MILLISECONDS_EACH = 300;

/** What `fast-check` is to every test: vitest.config.ts puts this in its place. Not through a setup file, whose limits a call with `numRuns` of its own overrides. */
const fc = createRequire(import.meta.url)('fast-check') as typeof fastCheck;
fc.configureGlobal({ seed: inject('propertySeed') });

const times = inject('propertyTimes');
// A test may stop the clock.
const now = performance.now.bind(performance);

/** Between two runs: one that is under way would go on behind the test's back. */
function endAfter<Drawn>(milliseconds: number): fastCheck.Plugin<Drawn> {
  return () => {
    const end = now() + milliseconds;
    return { decorateRun: (run) => (drawn) => (now() < end ? run(drawn) : new fc.PreconditionFailure(true)) };
  };
}

function assertOften<Drawn>(property: fastCheck.IRawProperty<Drawn>, parameters: fastCheck.Parameters<Drawn> = {}): Promise<void> | void {
  const numRuns = times * (parameters.numRuns ?? 100);
  const plugins = [...(parameters.plugins ?? []), endAfter<Drawn>(times * MILLISECONDS_EACH)];
  return fc.assert(property as fastCheck.IProperty<Drawn>, { ...parameters, numRuns, plugins });
}

// oxlint-disable-next-line import/no-default-export -- it stands in for a module whose users import its default
export default times === 1 ? fc : { ...fc, assert: assertOften as typeof fc.assert };
