import { vi } from 'vitest';

const PATIENCE_MS = 20_000;

/** Waits until a check holds, for as long as a busy machine may take. */
export const eventually = <Value>(check: () => Value | Promise<Value>): Promise<Value> => vi.waitFor(check, { timeout: PATIENCE_MS });
