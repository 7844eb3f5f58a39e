import { BackgroundLoop, type Complaining } from '../background/background-loop.js';
import type { KeyRing } from './key-ring.js';

const REFRESH_MS = 5_000;

/** What takes in, every few seconds, what other control planes rotate. */
export const keepFresh = (keys: KeyRing, logger: Complaining): BackgroundLoop =>
  new BackgroundLoop(logger, {
    everyMs: REFRESH_MS,
    waitsFirst: true,
    complaint: 'The key ring could not be read; the known keys stay in use',
    turn: () => keys.refresh(),
  });
