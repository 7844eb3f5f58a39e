import { z } from 'zod';
import { Id } from '../names.js';
import { SandboxReport, ChildState } from '../runner/status.js';
import { pageOf, Timestamp } from './conventions.js';

/** A process that hosts servers of stdio. */
export const Runner = z
  .object({
    id: Id,
    name: z.string(),
    /** Where nodes reach it. */
    address: z.string().nullable(),
    version: z.string().nullable(),
    enrolledAt: Timestamp,
    lastSeenAt: Timestamp.nullable(),
    /** Whether it has reported lately and does not say that it goes. The servers of one that is not live move to others. */
    live: z.boolean(),
    capacity: z.number().int(),
    /** Which walls it puts up between children and the rest of its machine; null before its first report. */
    sandbox: SandboxReport.nullable(),
    /** What those that are missing mean, in words. */
    sandboxGaps: z.array(z.string()),
    /** What it said last of the servers that it hosts. */
    servers: z.array(
      z.object({
        server: z.string(),
        state: ChildState,
        instances: z.number().int(),
        restarts: z.number().int(),
        junkLines: z.number().int(),
        throttled: z.boolean(),
        lastError: z.string().nullable(),
      }),
    ),
  })
  .meta({
    id: 'Runner',
    examples: [
      {
        id: '0199aaaa-0000-7000-8000-000000000002',
        name: 'runner-1',
        address: 'http://runner-1:9300',
        version: '0.1.0',
        enrolledAt: '2026-01-01T00:00:00.000Z',
        lastSeenAt: '2026-01-01T00:00:02.000Z',
        live: true,
        capacity: 100,
        sandbox: null,
        sandboxGaps: [],
        servers: [{ server: 'files', state: 'running', instances: 1, restarts: 0, junkLines: 0, throttled: false, lastError: null }],
      },
    ],
  });
export type Runner = z.infer<typeof Runner>;
export const RunnerPage = pageOf(Runner).meta({ id: 'RunnerPage' });
