import { z } from 'zod';
import { Id } from './names.js';

export const LIMIT_CALLS_MAX = 1_000_000_000;
const calls = z.number().int().min(1).max(LIMIT_CALLS_MAX);

/** What a quota is for: a calendar day or month, in UTC. */
export const QuotaPeriod = z.enum(['day', 'month']);
export type QuotaPeriod = z.infer<typeof QuotaPeriod>;

/**
 * `rate`: so many calls in any so many seconds. `quota`: so many in a calendar day or month. Both over all nodes together. `concurrency`: so many at
 * once on each node. Strict in the snapshot too: a limit that a node does not know must not be overlooked.
 */
export const CallLimitTerms = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('rate'), calls, perSeconds: z.number().int().min(1).max(86_400) }),
    z.strictObject({ kind: z.literal('quota'), calls, per: QuotaPeriod }),
    z.strictObject({ kind: z.literal('concurrency'), calls: z.number().int().min(1).max(10_000) }),
  ])
  .meta({ id: 'CallLimitTerms' });
export type CallLimitTerms = z.infer<typeof CallLimitTerms>;

/** Names of tools, exactly or with `*` for any run of characters. */
export const LimitedTools = z.array(z.string().min(1).max(512)).min(1).max(100);

/** A limit as nodes know it, with the agent or server whose calls it is about. With `tools` each tool of the server that one of them names has it to itself. */
export const CallLimitEntry = z.strictObject({ id: Id, terms: CallLimitTerms, tools: z.array(z.string()).optional() });
export type CallLimitEntry = z.infer<typeof CallLimitEntry>;

/** Into how many slices the window of a rate is cut: what was used is forgotten slice by slice. */
export const RATE_SLICES = 10;

/** Names in Redis under which calls are counted. */
export const countKeys = {
  /** Calls leased in each slice, by the slice's number. */
  rate: (limit: string, windowMs: number): string => `portcullis:rate:${limit}:${String(windowMs)}`,
  /** Calls leased in a period. */
  quota: (limit: string, period: string): string => `portcullis:quota:${limit}:${period}`,
} as const;
