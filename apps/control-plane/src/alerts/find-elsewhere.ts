import type { Transaction } from '@portcullis/database';
import { z } from 'zod';
import { listBoots } from '../audit/integrity.repository.js';
import { findTroubles } from '../credentials/find-troubles.js';
import type { BudgetState } from '../cost/find-budgets.js';
import { meets, type ActiveRule, type Finding } from './finding.js';
import type { StoredRange } from './fold-usage.js';

/** What a discovery put on record of a server that changed. */
export interface DriftEvent {
  readonly server: string;
  readonly isSuspended: boolean;
  readonly reason: string;
}

const Said = z.object({ subject: z.object({ slug: z.string() }), reason: z.string().nullable() });

/** Of what was stored, what discoveries said of servers that changed. */
export async function readDrift(tx: Transaction, { from, to }: StoredRange, notBefore: Date): Promise<DriftEvent[]> {
  const rows = await tx.$queryRaw<{ method: string; arguments: Uint8Array | null }[]>`
    SELECT method, arguments FROM audit_event
    WHERE stored_tx >= ${from} AND stored_tx < ${to} AND at >= ${notBefore} AND method IN ('operator/server.drifted', 'operator/server.suspended')
    ORDER BY stored_tx, seq LIMIT 1000`;
  return rows.flatMap(({ method, arguments: bytes }) => {
    const said = Said.safeParse(parsed(bytes));
    if (!said.success) return [];
    return [{ server: said.data.subject.slug, isSuspended: method === 'operator/server.suspended', reason: said.data.reason ?? '' }];
  });
}

/** What is too long was cut and is no JSON. */
function parsed(bytes: Uint8Array | null): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}

export function findDrift({ when }: ActiveRule<'drift'>, events: readonly DriftEvent[]): Finding[] {
  return events
    .filter((event) => meets({ server: when.server }, event) && (event.isSuspended || !when.suspendedOnly))
    .map(({ server, isSuspended, reason }) => ({
      summary: isSuspended ? `Server ${server} was suspended: ${reason}` : `Server ${server} changed: ${reason}`,
      subject: { server },
      values: { suspended: isSuspended },
    }));
}

const BOOTS_MAX = 100;

export async function findGaps(tx: Transaction, { when }: ActiveRule<'integrity_gap'>): Promise<Finding[]> {
  const boots = await listBoots(tx, { state: 'missing' }, { after: undefined, limit: BOOTS_MAX });
  return boots
    .filter(({ node }) => meets({ server: when.node }, { server: node }))
    .map(({ node, boot, missing_events: missing, missing_ranges: ranges }) => ({
      summary: `${missing} events that node ${node} recorded are missing in the trail`,
      subject: { node, boot },
      values: { missingEvents: Number(missing), ranges },
    }));
}

/** Each level that is reached, once in a month. */
export function findBudgets({ when }: ActiveRule<'budget'>, states: readonly BudgetState[]): Finding[] {
  return states
    .filter(({ budget }) => meets({ server: when.name }, { server: budget.name }))
    .flatMap(({ budget, month, spentMicros, reached }) =>
      reached.map((percent) => ({
        summary: `${percent} % of the budget ${budget.name} for ${month} is spent`,
        subject: { budget: budget.name, budgetId: budget.id, month, percent: String(percent) },
        values: { spentMicros: String(spentMicros), amountMicros: String(budget.amountMicros), currency: budget.currency },
        once: true,
      })),
    );
}

const DAY_MS = 86_400_000;

/** Connections that are to be made anew or cannot be renewed, and what ends soon. One that nobody has made yet is no news. */
export async function findCredentials(tx: Transaction, { when }: ActiveRule<'credential'>): Promise<Finding[]> {
  const troubles = await findTroubles(tx, { endsBefore: new Date(Date.now() + when.endsWithinDays * DAY_MS) });
  return troubles
    .filter(({ server, state }) => state !== 'unconnected' && meets({ server: when.server }, { server }))
    .map(({ server, agent, credentialId, state, reason, endsAt }) => ({
      summary: `Server ${server}${agent === null ? '' : ` for agent ${agent}`}: ${reason}`,
      subject: { server, ...(agent !== null && { agent }), credential: credentialId ?? 'certificates', state },
      values: { state, ...(endsAt !== null && { endsAt }) },
    }));
}
