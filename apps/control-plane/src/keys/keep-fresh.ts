import type { KeyRing } from './key-ring.js';

const REFRESH_MS = 5_000;

/** Takes in what other control planes rotate every few seconds, until the returned function is called. */
export function keepFresh(keys: KeyRing, warn: (error: unknown) => void): () => void {
  const timer = setInterval(() => void keys.refresh().catch(warn), REFRESH_MS).unref();
  return () => clearInterval(timer);
}
