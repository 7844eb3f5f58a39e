import { measureLoad } from './measure-load.mjs';

const SLICE_SECONDS = 2;
const SLICES_MAX = 30;

/** Calls each target, and each node, until it has answered so many calls: only then are its functions compiled as they will stay. */
export async function warmUp(rig, calls, load) {
  const others = rig.targets.filter(({ watch }) => watch !== undefined && watch !== rig.nodeTargets[0].watch);
  for (const target of [...others, ...rig.nodeTargets]) {
    let answered = 0;
    for (let slice = 0; slice < SLICES_MAX && answered < calls; slice += 1) {
      answered += (await measureLoad(target, { ...load, connections: 64, seconds: SLICE_SECONDS, warmup: 0 })).good;
    }
  }
}
