import type { Ledger } from '../e2e/ledger.js';
import type { Laboratory } from './laboratory.js';

/** How much of a case is done. The short form proves the same guarantee once; the whole one is what the matrix asks for. */
export interface Extent {
  /** How often a fault is brought. */
  readonly times: number;
  /** Seconds in the short form, given those of the whole one. */
  readonly seconds: (whole: number) => number;
  /** From 0 up to 1, the same in each run of a seed. */
  readonly random: () => number;
  /** Whether it counts how quick requests are afterwards (O9): on a machine that does nothing else. */
  readonly isTimed: boolean;
}

export interface FaultCase {
  readonly name: string;
  /** What is done to the system. */
  readonly title: string;
  /** Requests per second meanwhile. */
  readonly perSecond: number;
  /** Whether it may be brought at any time among others. */
  readonly isForRandom: boolean;
  /**
   * Brings the fault while requests pass, and takes it back. Throws where the system does not do under it what it promises. Gives the boots that lost
   * events, if that is what the fault is.
   */
  inject(lab: Laboratory, ledger: Ledger, extent: Extent): Promise<readonly string[] | void>;
}
