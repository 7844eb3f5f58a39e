import { AlertCondition, AlertKind, CreateAlertRule, type AlertRule } from '@portcullis/contracts/api/alerts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError } from '../cli-error.js';
import type { Collection } from '../collections/collection-commands.js';
import { plainText } from '../plain-text.js';
import { wholeNumber } from '../whole-number.js';

interface AlertRuleFlags {
  kind: AlertKind;
  set: Record<string, unknown>;
  severity: AlertRule['severity'];
  webhook: string[];
  quiet: number;
}

/** `portcullis alert-rule`. */
export const alertRules: Collection<AlertRule, AlertRuleFlags> = {
  name: 'alert-rule',
  description: 'What is worth telling somebody: list, add, remove.',
  list: (api) => api.alertRules.list.each({}),
  describe: describeRule,
  declare: (command: Command) =>
    command
      .description('Raise an alert when this happens, and tell webhooks of it.')
      .argument('<name>', 'how alerts call it')
      .addOption(new Option('--kind <what>', 'what happens').choices(AlertKind.options).makeOptionMandatory())
      .option('--set <name=value>', 'a detail of the kind, such as count=50 or agent=ci-*; again for others', detail, {})
      .addOption(new Option('--severity <level>', 'how bad').choices(['info', 'warning', 'critical']).default('warning'))
      .option('--webhook <id>', 'who is told; again for others', (id: string, ids: string[]) => [...ids, id], [])
      .option('--quiet <seconds>', 'how long the same is not raised again', wholeNumber(60, 604_800), 3600)
      .addHelpText('after', `\nDetails (--set) of each kind:\n${conditionDetails().map(helpLine).join('\n')}`),
  add: async (api, [name = ''], { kind, set, severity, webhook, quiet }) => {
    const rule = CreateAlertRule.safeParse({ name, when: { kind, ...set }, severity, webhooks: webhook, quietSeconds: quiet });
    if (!rule.success)
      throw new CliError([...rule.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`), `${detailsHint(kind)}.`].join('\n'));
    return describeRule(await api.alertRules.create(rule.data));
  },
  remove: (api, id) => api.alertRules.delete(id),
};

/** What can be said with `--set`, by kind. */
export const conditionDetails = (): { kind: AlertKind; details: string[] }[] =>
  AlertCondition.options.map(({ shape: { kind, ...details } }) => ({ kind: kind.value, details: Object.keys(details) }));

export const detailsHint = (wanted: AlertKind): string =>
  `${wanted} takes ${conditionDetails()
    .flatMap(({ kind, details }) => (kind === wanted ? details : []))
    .join(', ')}`;

const helpLine = ({ kind, details }: { kind: AlertKind; details: readonly string[] }): string => `  ${kind.padEnd(14)} ${details.join(', ')}`;

/** Numbers and truth are what they look like; everything else is text. */
export function detail(text: string, details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const [, name, value] = /^(\w+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be name=value.');
  const read = /^\d+(\.\d+)?$/.test(value) ? Number(value) : value === 'true' || value === 'false' ? value === 'true' : value;
  return { ...details, [name]: read };
}

export function describeRule({ id, name, enabled, when: { kind, ...details }, severity, webhooks }: AlertRule): string {
  const said = Object.entries(details).map(([key, value]) => `${key}=${plainText(String(value), 100)}`);
  const told = webhooks.length === 0 ? 'nobody is told' : `tells ${webhooks.join(' ')}`;
  return `${id}  ${plainText(name, 200)}${enabled ? '' : ' (disabled)'}: ${[kind, ...said].join(' ')}, ${severity}, ${told}`;
}
