import { z } from 'zod';
import { Id } from '../names.js';
import { pageOf, pageQuery, Timestamp } from './conventions.js';

/** An exact name, or a glob in which `*` stands for any run of characters. */
const pattern = z.string().min(1).max(256).optional();
const withinMinutes = z.number().int().min(1).max(60).default(5);
const count = z.number().int().min(1).max(1_000_000);

const DenialBurst = z.strictObject({
  kind: z.literal('denial_burst'),
  /** So many refusals of one agent, or of calls to one server, within so many minutes. */
  count: count.default(20),
  withinMinutes,
  per: z.enum(['agent', 'server']).default('agent'),
  agent: pattern,
  server: pattern,
});

/** An agent's first allowed call of a tool, as far as the trail remembers. */
const FirstUse = z.strictObject({ kind: z.literal('first_use'), agent: pattern, server: pattern, tool: pattern });

const ErrorRate = z.strictObject({
  kind: z.literal('error_rate'),
  percent: z.number().min(1).max(100).default(50),
  /** Fewer calls tell nothing. */
  callsMin: count.default(20),
  withinMinutes,
  per: z.enum(['agent', 'server', 'tool']).default('server'),
  agent: pattern,
  server: pattern,
  tool: pattern,
});

const Volume = z.strictObject({
  kind: z.literal('volume'),
  /** The calls of an hour against the mean of the hours before, as many days back as are known, one at least. */
  factor: z.number().min(1.1).max(1000).default(3),
  callsMin: count.default(100),
  days: z.number().int().min(1).max(30).default(7),
  per: z.enum(['agent', 'server', 'tool']).default('agent'),
  agent: pattern,
  server: pattern,
  tool: pattern,
});

/** A server changed what it offers; `suspendedOnly`: so often that it was suspended. */
const Drift = z.strictObject({ kind: z.literal('drift'), suspendedOnly: z.boolean().default(false), server: pattern });

/** Events that a node recorded are missing in the trail. */
const IntegrityGap = z.strictObject({ kind: z.literal('integrity_gap'), node: pattern });

/** So much of a month's budget is spent as the budget warns at; each level once in a month. */
const BudgetSpent = z.strictObject({ kind: z.literal('budget'), name: pattern });

/** A connection has to be made anew or cannot be renewed, or a certificate or token of a server ends within so many days. */
const CredentialTroubled = z.strictObject({
  kind: z.literal('credential'),
  server: pattern,
  endsWithinDays: z.number().int().min(1).max(365).default(14),
});

export const AlertCondition = z.discriminatedUnion('kind', [
  DenialBurst,
  FirstUse,
  ErrorRate,
  Volume,
  Drift,
  IntegrityGap,
  BudgetSpent,
  CredentialTroubled,
]);
export type AlertCondition = z.infer<typeof AlertCondition>;
export const AlertKind = z.enum(['denial_burst', 'first_use', 'error_rate', 'volume', 'drift', 'integrity_gap', 'budget', 'credential']);
export type AlertKind = z.infer<typeof AlertKind>;

const fields = {
  name: z.string().trim().min(1).max(200),
  enabled: z.boolean(),
  when: AlertCondition,
  severity: z.enum(['info', 'warning', 'critical']),
  /** Who is told, by id. An alert is on record all the same. */
  webhooks: z.array(Id).max(20),
  /** How long the same is not raised again. */
  quietSeconds: z.number().int().min(60).max(604_800),
};

/** What is worth telling somebody, and whom. */
export const CreateAlertRule = z
  .strictObject({
    ...fields,
    enabled: fields.enabled.default(true),
    severity: fields.severity.default('warning'),
    webhooks: fields.webhooks.default([]),
    quietSeconds: fields.quietSeconds.default(3600),
  })
  .meta({ id: 'CreateAlertRule', examples: [{ name: 'Somebody tries doors', when: { kind: 'denial_burst', count: 50, withinMinutes: 5 } }] });
export type CreateAlertRule = z.infer<typeof CreateAlertRule>;

/** What is left out stays as it is; `when` is replaced as a whole. */
export const UpdateAlertRule = z.strictObject(fields).partial().meta({ id: 'UpdateAlertRule' });
export type UpdateAlertRule = z.infer<typeof UpdateAlertRule>;

export const AlertRule = z.object({ id: Id, ...fields, createdBy: z.string(), createdAt: Timestamp, updatedAt: Timestamp }).meta({ id: 'AlertRule' });
export type AlertRule = z.infer<typeof AlertRule>;
export const AlertRulePage = pageOf(AlertRule).meta({ id: 'AlertRulePage' });

/** Something that a rule speaks of happened. Names and counts only: no argument, result or secret. */
export const Alert = z
  .object({
    id: Id,
    at: Timestamp,
    /** Null where the rule is gone. */
    ruleId: Id.nullable(),
    rule: z.string(),
    kind: AlertKind,
    severity: fields.severity,
    summary: z.string(),
    /** What it is about: agent, server, tool, node, boot, budget or credential. */
    subject: z.record(z.string(), z.string()),
    values: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  })
  .meta({ id: 'Alert' });
export type Alert = z.infer<typeof Alert>;
export const AlertPage = pageOf(Alert).meta({ id: 'AlertPage' });

/** Newest first. */
export const ListAlertsQuery = z.strictObject({ ...pageQuery, rule: Id.optional(), kind: AlertKind.optional() });
export type ListAlertsQuery = z.infer<typeof ListAlertsQuery>;
