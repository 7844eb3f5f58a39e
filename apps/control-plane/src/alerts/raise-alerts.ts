import type { Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import { insertDeliveries, type NewDelivery } from '../webhooks/webhooks.repository.js';
import { keyOf, type ActiveRule, type Finding } from './finding.js';

/** Of so many things at once one by one; the rest is one alert more. */
const TOLD_ONE_BY_ONE = 50;

/** Puts findings on record, each unless the same was raised within the rule's quiet time, with what is to be told of them. Gives the ids of deliveries. */
export async function raiseAlerts(tx: Transaction, rule: ActiveRule, findings: readonly Finding[]): Promise<string[]> {
  if (findings.length === 0) return [];
  const byKey = new Map(findings.map((finding) => [keyOf(finding.subject), finding]));
  const raised = await tx.alert.groupBy({
    by: ['subjectKey'],
    where: { ruleId: rule.id, subjectKey: { in: [...byKey.keys()] } },
    _max: { at: true },
  });
  const quietSince = Date.now() - rule.quietSeconds * 1000;
  for (const { subjectKey, _max: last } of raised) {
    if (byKey.get(subjectKey)?.once === true || (last.at?.getTime() ?? 0) > quietSince) byKey.delete(subjectKey);
  }
  const fresh = [...byKey.values()];
  const rest = fresh.length - TOLD_ONE_BY_ONE;
  const told =
    rest <= 0 ? fresh : [...fresh.slice(0, TOLD_ONE_BY_ONE), { summary: `${rest} more of the same kind`, subject: {}, values: { more: rest } }];
  if (told.length === 0) return [];
  const at = new Date();
  const alerts = told.map(({ summary, subject, values }) => ({
    summary,
    subject,
    values,
    id: v7(),
    at,
    ruleId: rule.id,
    rule: rule.name,
    kind: rule.when.kind,
    severity: rule.severity,
  }));
  await tx.alert.createMany({ data: alerts.map((alert) => ({ ...alert, subjectKey: keyOf(alert.subject) })) });
  const webhooks = await tx.webhook.findMany({ where: { id: { in: [...rule.webhookIds] }, enabled: true }, select: { id: true } });
  const deliveries = webhooks.flatMap((webhook) => alerts.map((alert) => deliveryOf(webhook.id, alert)));
  await insertDeliveries(tx, deliveries);
  return deliveries.map(({ id }) => id);
}

interface Raised extends Finding {
  readonly id: string;
  readonly at: Date;
  readonly ruleId: string;
  readonly rule: string;
  readonly kind: string;
  readonly severity: string;
}

function deliveryOf(webhookId: string, { id: alertId, at, ruleId, rule, kind, ...said }: Raised): NewDelivery {
  const { severity, summary, subject, values } = said;
  const type = `alert.${kind}`;
  const data = { alertId, rule: { id: ruleId, name: rule }, severity, summary, subject, values };
  return { id: v7(), webhookId, alertId, type, body: JSON.stringify({ type, timestamp: at.toISOString(), data }) };
}
