import { z } from 'zod';
import { exampleAggregates, examplePairs } from './audit-examples.js';
import { AuditFilter } from './audit-search.js';
import { Timestamp } from './conventions.js';
import { Id } from '../names.js';

/** Every call that matches, newest first; `after` goes on behind the call of the last whole line of a broken one, without the heading of CSV. */
export const AuditExportQuery = AuditFilter.extend({ format: z.enum(['ndjson', 'csv']).default('ndjson'), after: Id.optional() });
export type AuditExportQuery = z.infer<typeof AuditExportQuery>;

/** What a live tail shows: calls about which something is stored from now on. */
export const AuditTailQuery = AuditFilter.omit({ from: true, to: true });
export type AuditTailQuery = z.infer<typeof AuditTailQuery>;

const name = z.string().min(1).max(256).optional();
const period = { from: Timestamp.optional(), to: Timestamp.optional(), agent: name, server: name, tool: name };
const limit = z.coerce.number().int().min(1).max(1000).default(100);

/** The period is the last 24 hours unless it is given, and 31 days at most; one of whole hours in UTC is answered with the least work. Of agents, servers and tools those with the most calls; hours and days in order. */
export const AuditAggregatesQuery = z.strictObject({ by: z.enum(['agent', 'server', 'tool', 'hour', 'day']), ...period, limit });
export type AuditAggregatesQuery = z.infer<typeof AuditAggregatesQuery>;

/** `isNew` keeps pairs that were not used in the 30 days before the period. */
export const AuditPairsQuery = z.strictObject({ ...period, isNew: z.enum(['true', 'false']).default('false'), limit });
export type AuditPairsQuery = z.infer<typeof AuditPairsQuery>;

const count = z.number().int();
const ms = z.number().nullable();
const between = { from: Timestamp, to: Timestamp, truncated: z.boolean() };

/**
 * Calls of tools, prompts and resources, by when they began. Counts are exact. Latencies are of those that were answered, and within 5 % of that of the
 * call at this place in their order. Names of more than 300 characters are told, and told apart, by their first 300.
 */
export const AuditAggregates = z
  .object({
    ...between,
    rows: z.array(
      z.object({
        agent: z.string().nullable().optional(),
        server: z.string().nullable().optional(),
        tool: z.string().nullable().optional(),
        /** The beginning of the hour or day, in UTC. */
        at: Timestamp.optional(),
        calls: count,
        /** Ended by an error of the tool, the server or the gateway, or by time. */
        errors: count,
        denials: count,
        /** Without an outcome: running, or lost. */
        open: count,
        p50Ms: ms,
        p95Ms: ms,
        p99Ms: ms,
      }),
    ),
  })
  .meta({ id: 'AuditAggregates', examples: [exampleAggregates] });
export type AuditAggregates = z.infer<typeof AuditAggregates>;

/** Which agents used which tools, the most calls first. */
export const AuditPairs = z
  .object({
    ...between,
    rows: z.array(
      z.object({
        agent: z.string().nullable(),
        server: z.string().nullable(),
        tool: z.string().nullable(),
        calls: count,
        denials: count,
        firstAt: Timestamp,
        lastAt: Timestamp,
        isNew: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'AuditPairs', examples: [examplePairs] });
export type AuditPairs = z.infer<typeof AuditPairs>;
