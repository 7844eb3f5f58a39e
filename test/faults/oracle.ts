import { ApiError } from '@portcullis/api-client';
import type { AuditVerification } from '@portcullis/contracts/api/audit-proof';
import { queryDatabase } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { boots } from '../e2e/audit-rows.js';
import type { Ledger, LedgerEntry } from '../e2e/ledger.js';
import type { Laboratory } from './laboratory.js';
import { until } from './until.js';

/** What one case, or one round of many, came to. */
export interface Verdict {
  readonly sent: number;
  readonly answered: number;
  /** Rows that close a call: outcomes, and the single rows of what was refused or answered from memory. */
  readonly rows: number;
  /** Answered, and not on record. */
  readonly lost: number;
  /** On record more than once, or sent to the server more than once. */
  readonly doubled: number;
  /** Everything else that must not be, in words; the first few of each. */
  readonly wrong: readonly string[];
  /** 99th percentile of what answered requests took. */
  readonly p99Ms: number;
}

interface Traced {
  readonly trace_id: string;
  readonly intents: number;
  readonly ends: number;
  readonly success: boolean;
  readonly text: string | null;
}

const QUEUE = 'bull:portcullis-audit';
const SETTLE_MS_MAX = 300_000;

/** Sums by trace, since a long run has more rows than fit. Texts are compared where arguments are kept: with an intent. */
const readTraces = (lab: Laboratory, { prefix }: Ledger): Promise<Traced[]> =>
  queryDatabase<Traced>(
    lab.postgres.url,
    `SELECT trace_id, count(*) FILTER (WHERE phase = 'intent')::int AS intents, count(*) FILTER (WHERE phase <> 'intent')::int AS ends,
       coalesce(bool_and(status = 'success') FILTER (WHERE phase <> 'intent'), false) AS success,
       max(convert_from(arguments, 'UTF8')::json ->> 'text') FILTER (WHERE phase = 'intent') AS text
     FROM audit_event WHERE trace_id >= $1 AND trace_id < $2 GROUP BY trace_id`,
    [prefix, `${prefix}g`],
  );

/**
 * Waits until everything that was recorded is stored, then holds what was sent and answered against the trail (O1–O5, O7, O8). Boots named in
 * `missingExpected` have lost events that the gateway has to name as missing.
 */
export async function judge(lab: Laboratory, ledger: Ledger, missingExpected: readonly string[] = []): Promise<Verdict> {
  const wrong: string[] = [];
  const others = async (): Promise<string[]> => (await unfinished(lab)).filter((found) => !missingExpected.some((boot) => found.includes(boot)));
  await until('all events are stored', async () => (await others()).length === 0, SETTLE_MS_MAX).catch(async (error: Error) =>
    wrong.push(`O4: ${error.message}: ${error.cause instanceof Error ? error.cause.message : (await others()).join('; ')}`),
  );
  const traces = new Map((await readTraces(lab, ledger)).map((trace) => [trace.trace_id, trace]));
  const answered = [...ledger.entries].filter(([, { answer }]) => answer !== undefined && answer !== 'turned away');
  const ran = lab.server.ran.filter((text) => text.startsWith(ledger.prefix));
  const lost = answered.filter(([id]) => (traces.get(id)?.ends ?? 0) === 0).map(([id]) => id);
  const twice = [...traces.values()].filter(({ ends, intents }) => ends > 1 || intents > 1).map((trace) => trace.trace_id);
  const first = new Set<string>();
  const ranTwice = ran.filter((text) => first.size === first.add(text).size);
  const note = (what: string, ids: readonly string[]): void => {
    if (ids.length > 0) wrong.push(`${what}: ${ids.length}, such as ${ids.slice(0, 3).join(', ')}`);
  };
  note('O1: lost', lost);
  note('O1: doubled', twice);
  note(
    'O1: another ending than the client saw',
    answered.filter(([id, entry]) => traces.get(id)?.ends === 1 && !isAsSeen(entry, traces.get(id))).map(([id]) => id),
  );
  note(
    'O2: never sent',
    [...traces.keys()].filter((id) => !ledger.entries.has(id)),
  );
  note(
    'O3: reached the server without a record',
    ran.filter((text) => traces.get(text)?.intents !== 1 || traces.get(text)?.text !== text),
  );
  note('O3: reached the server twice', ranTwice);
  note(
    'O7: answered with what belongs to another call',
    answered.filter(([, { answer }]) => answer === 'foreign').map(([id]) => id),
  );
  wrong.push(...(await wrongInRanges(lab, missingExpected)), ...(await wrongInQueue(lab)), ...(await wrongInProof(lab)));
  const rows = [...traces.values()].reduce((sum, { ends }) => sum + ends, 0);
  const p99Ms = p99Of(ledger.tookMs);
  return { sent: ledger.entries.size, answered: answered.length, rows, lost: lost.length, doubled: twice.length + ranTwice.length, wrong, p99Ms };
}

export function p99Of(tookMs: readonly number[]): number {
  const slowest = tookMs.toSorted((a, b) => a - b);
  return Math.round(slowest[Math.floor(slowest.length * 0.99)] ?? 0);
}

const isAsSeen = ({ answer }: LedgerEntry, trace: Traced | undefined): boolean => (answer === 'result') === trace?.success;

/** Boots whose events are not all stored, as the gateway itself says. */
async function unfinished(lab: Laboratory): Promise<string[]> {
  const found: string[] = [];
  for await (const { node, boot, state, missing } of (await lab.api).audit.integrity.each({}))
    if (state !== 'complete') found.push(`${node} ${boot} ${missing.map(({ firstSeq, lastSeq }) => `${firstSeq}–${lastSeq}`).join(' ')}`);
  return found;
}

/** O4, from the rows themselves: no hole in any run of a node but those that are known. */
async function wrongInRanges(lab: Laboratory, missingExpected: readonly string[]): Promise<string[]> {
  const all = (await boots(lab.postgres.url)).filter(({ node }) => node.startsWith('node-'));
  return all
    .filter(({ boot, rows, first, last }) => (first !== 1 || rows !== last) && !missingExpected.includes(boot))
    .map(({ node, boot, rows, first, last }) => `O4: ${node} ${boot} has ${rows} rows between ${first} and ${last}`);
}

/** O8: nothing was given up, and nothing is left over. */
async function wrongInQueue(lab: Laboratory): Promise<string[]> {
  const redis = new Redis(lab.redis.url, { maxRetriesPerRequest: null });
  try {
    const wrong: string[] = [];
    const failed = await redis.zcard(`${QUEUE}:failed`);
    if (failed > 0) wrong.push(`O8: ${failed} failed jobs`);
    const left = async (): Promise<number> =>
      (await redis.llen(`${QUEUE}:wait`)) + (await redis.llen(`${QUEUE}:active`)) + (await redis.zcard(`${QUEUE}:delayed`));
    await until('the queue is empty', async () => (await left()) === 0).catch(() => wrong.push('O8: jobs are left in the queue'));
    return wrong;
  } finally {
    redis.disconnect();
  }
}

/** O5: chains and blocks hold, of everything that was sealed since they were last verified. Who cannot say so now is asked again, and never answers 500. */
async function wrongInProof(lab: Laboratory): Promise<string[]> {
  const { audit } = await lab.api;
  const wrong: string[] = [];
  const read = async (): Promise<AuditVerification | undefined> => {
    for await (const line of audit.verify({ fromBlock: lab.verifiedThrough + 1 })) if (line.type === 'result') return line.result;
    return undefined;
  };
  const verify = (): Promise<AuditVerification | undefined> =>
    read().catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 500) wrong.push(`O5: ${String(error)}`);
      throw error;
    });
  let first: AuditVerification | undefined;
  await until('the trail can be verified', async () => (first = await verify()) !== undefined);
  const sealedBefore = first?.through ?? lab.verifiedThrough;
  let last: AuditVerification | undefined;
  await until('what is stored is sealed', async () => ((last = await verify())?.through ?? 0) > sealedBefore);
  if (last === undefined || last.verdict === 'failed') return [...wrong, `O5: ${JSON.stringify(last?.findings.slice(0, 3))}`];
  lab.verifiedThrough = last.through ?? lab.verifiedThrough;
  return wrong;
}
