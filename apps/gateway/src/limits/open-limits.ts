import type { Leases } from './leases.js';
import { Meters } from './meters.js';
import { Places } from './places.js';

/** What limits are counted by on this node. */
export interface LimitCounts {
  readonly meters: Meters;
  readonly places: Places;
}

/** What this node counts calls by, with leases from these. */
export const openLimits = (leases: Leases): LimitCounts => ({
  meters: new Meters(leases, { monotonic: () => performance.now(), wall: () => Date.now() }),
  places: new Places(),
});
