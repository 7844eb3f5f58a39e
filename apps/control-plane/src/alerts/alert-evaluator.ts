import { Inject, Injectable } from '@nestjs/common';
import { AlertCondition } from '@portcullis/contracts/api/alerts';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { budgetStates } from '../cost/find-budgets.js';
import { DeliveryQueue } from '../webhooks/delivery-queue.js';
import { WebhookSecrets } from '../webhooks/webhook-secrets.js';
import { forgetDeliveries } from '../webhooks/webhooks.repository.js';
import { findBudgets, findCredentials, findDrift, findGaps, readDrift, type DriftEvent } from './find-elsewhere.js';
import { findBursts, findErrorRates, findFirstUses, findVolumes, TOLD_MS } from './find-in-usage.js';
import type { ActiveRule, Finding } from './finding.js';
import { foldUsage, forgetUsage, moveCursor, nextRange, type FirstUse, type FreshUsage } from './fold-usage.js';
import { raiseAlerts } from './raise-alerts.js';

/** Token of the options of alerts. */
export const ALERT_OPTIONS = 'AlertOptions';

export interface AlertOptions {
  readonly lookMs?: number | undefined;
  /** How often what is compared with a state, not with what was stored, is looked at: volumes, gaps and budgets. */
  readonly slowMs?: number | undefined;
}

const LOOK_MS = 2_000;
const SLOW_MS = 30_000;
const TIDY_MS = 600_000;
const ROUND_MS_MAX = 300_000;

/** What a round found stored. */
interface Seen {
  readonly usage: readonly FreshUsage[];
  readonly firstUses: readonly FirstUse[];
  readonly drift: readonly DriftEvent[];
}

const nothing: Seen = { usage: [], firstUses: [], drift: [] };

/** Looks at what was stored since the last round and raises what rules speak of; one control plane of all at a time. */
@Injectable()
export class AlertEvaluator implements BackgroundWork {
  readonly everyMs: number;
  readonly complaint = 'Alerts cannot be evaluated';
  private slowAt = 0;

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(DeliveryQueue) private readonly queue: DeliveryQueue,
    @Inject(WebhookSecrets) private readonly secrets: WebhookSecrets,
    @Inject(ALERT_OPTIONS) private readonly options: AlertOptions,
  ) {
    this.everyMs = options.lookMs ?? LOOK_MS;
  }

  /** One round; whether there may be more at once. */
  async turn(): Promise<boolean> {
    const isSlow = Date.now() - this.slowAt >= (this.options.slowMs ?? SLOW_MS);
    const { deliveries, isMore } = await this.database.$transaction(
      async (tx) => {
        const [lock] = await tx.$queryRaw<[{ mine: boolean }]>`SELECT pg_try_advisory_xact_lock(hashtext('portcullis alerts')) AS mine`;
        return lock.mine ? this.round(tx, isSlow) : { deliveries: [], isMore: false };
      },
      { maxWait: 10_000, timeout: ROUND_MS_MAX },
    );
    if (isSlow) this.slowAt = Date.now();
    this.queue.add(deliveries);
    return isMore;
  }

  private async round(tx: Transaction, isSlow: boolean): Promise<{ deliveries: string[]; isMore: boolean }> {
    const range = await nextRange(tx);
    const told = new Date(Date.now() - TOLD_MS);
    let seen = nothing;
    if (range !== undefined) {
      const { usage, firstUses } = await foldUsage(tx, range);
      const drift = await readDrift(tx, range, told);
      seen = { usage: usage.filter(({ minute }) => minute > told), firstUses: firstUses.filter(({ at }) => at > told), drift };
      await moveCursor(tx, range);
    }
    const deliveries: string[] = [];
    for (const rule of await activeRules(tx)) deliveries.push(...(await raiseAlerts(tx, rule, await findingsOf(tx, rule, seen, isSlow))));
    await this.tidy(tx);
    return { deliveries, isMore: seen.usage.length > 0 };
  }

  private async tidy(tx: Transaction): Promise<void> {
    const now = new Date();
    const { count } = await tx.alertCursor.updateMany({
      where: { OR: [{ tidiedAt: null }, { tidiedAt: { lt: new Date(now.getTime() - TIDY_MS) } }] },
      data: { tidiedAt: now },
    });
    if (count === 0) return;
    await forgetUsage(tx);
    await forgetDeliveries(tx, now);
    await this.secrets.resealAll(tx);
  }
}

async function activeRules(tx: Transaction): Promise<ActiveRule[]> {
  const rows = await tx.alertRule.findMany({ where: { enabled: true }, orderBy: { id: 'asc' } });
  return rows.flatMap(({ condition, ...rule }) => {
    const when = AlertCondition.safeParse(condition);
    // A newer release knows kinds that this one does not.
    return when.success ? [{ ...rule, when: when.data }] : [];
  });
}

async function findingsOf(tx: Transaction, rule: ActiveRule, { usage, firstUses, drift }: Seen, isSlow: boolean): Promise<Finding[]> {
  const { when } = rule;
  switch (when.kind) {
    case 'denial_burst':
      return findBursts(tx, { ...rule, when }, usage);
    case 'error_rate':
      return findErrorRates(tx, { ...rule, when }, usage);
    case 'first_use':
      return findFirstUses({ ...rule, when }, firstUses);
    case 'drift':
      return findDrift({ ...rule, when }, drift);
    case 'budget':
      return isSlow ? findBudgets({ ...rule, when }, await budgetStates(tx)) : [];
    case 'credential':
      return isSlow ? findCredentials(tx, { ...rule, when }) : [];
    case 'volume':
      return isSlow ? findVolumes(tx, { ...rule, when }) : [];
    case 'integrity_gap':
      return isSlow ? findGaps(tx, { ...rule, when }) : [];
  }
}
