import type { Budget } from '@portcullis/contracts/api/budgets';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError } from '../cli-error.js';
import type { Collection } from '../collections/collection-commands.js';
import { amountText, microsOf } from '../collections/amount.js';
import { plainText } from '../plain-text.js';

interface BudgetFlags {
  agent?: string;
  group?: string;
  owner?: string;
  amount: string;
  currency: string;
  warn?: number[];
  action: Budget['action'];
}

/** `portcullis budget`. */
export const budgets: Collection<Budget, BudgetFlags> = {
  name: 'budget',
  description: 'What agents may cost in a month: list, add, remove.',
  list: (api) => api.budgets.list.each({}),
  describe: describeBudget,
  declare: (command: Command) =>
    command
      .description('Say what an agent, the members of a group or the agents of an owner may cost in a calendar month.')
      .argument('<name>', 'how alerts call it')
      .option('--agent <slug>', 'whose costs')
      .option('--group <slug>', 'whose costs')
      .option('--owner <name>', 'whose costs')
      .requiredOption('--amount <number>', 'in a month', microsOf)
      .requiredOption('--currency <code>', 'three capital letters, such as EUR')
      .option('--warn <percents>', 'when alert rules speak, such as 50,80,100', percents)
      .addOption(new Option('--action <what>', 'when it is spent').choices(['warn', 'block']).default('warn')),
  add: async (api, [name = ''], { amount, currency, warn, action, ...who }) => {
    const body = { name, subject: subjectOf(who), amountMicros: amount, currency, action };
    return describeBudget(await api.budgets.create({ ...body, ...(warn === undefined ? {} : { warnPercents: warn }) }));
  },
  remove: (api, id) => api.budgets.delete(id),
};

function subjectOf({ agent, group, owner }: Pick<BudgetFlags, 'agent' | 'group' | 'owner'>): Budget['subject'] {
  const [subject, another] = [
    ...(agent === undefined ? [] : [{ agent }]),
    ...(group === undefined ? [] : [{ group }]),
    ...(owner === undefined ? [] : [{ owner }]),
  ];
  if (subject === undefined || another !== undefined) throw new CliError('Give --agent, --group or --owner, one of them.');
  return subject;
}

function percents(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number > 0)) return numbers;
  throw new InvalidArgumentError('It must be whole numbers separated by commas, such as 80,100.');
}

export function describeBudget({ id, name, subject, currency, amountMicros, spentMicros, month, action }: Budget): string {
  const [[kind, who] = ['', '']] = Object.entries(subject);
  const spent = `${amountText(spentMicros)} of ${amountText(amountMicros)} ${currency} spent in ${month}`;
  return `${id}  ${plainText(name, 200)}  (${kind} ${plainText(who, 200)}): ${spent}${action === 'block' ? ', then calls are blocked' : ''}`;
}
