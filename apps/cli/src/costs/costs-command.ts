import { CostsQuery, type Costs } from '@portcullis/contracts/api/costs';
import { type Command, Option } from 'commander';
import type { Environment } from '../config.js';
import { withTimes } from '../audit/filter-flags.js';
import { amountText } from '../collections/amount.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainText } from '../plain-text.js';
import { withConnection } from '../with-connection.js';

interface CostsFlags extends ConnectionOptions {
  by: CostsQuery['by'];
  from?: string;
  to?: string;
  csv?: boolean;
}

/** `portcullis costs`. */
export function addCostsCommand(program: Command, environment: Environment, print: (text: string) => void): void {
  const command = program
    .command('costs')
    .description('Tell what calls cost, and whom: this month, or a period.')
    .addOption(new Option('--by <what>', 'whose costs').choices(CostsQuery.shape.by.unwrap().options).default('agent'))
    .option('--csv', 'as CSV, in millionths');
  withConnection(withTimes(command)).action(async ({ by, from, to, csv, ...flags }: CostsFlags) => {
    const { api } = await connect(flags, environment);
    const query = { by, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    print(csv === true ? await api.costs.csv(query) : describeCosts(await api.costs.read(query)));
  });
}

/** A line for each sum and each total. Names are foreign words. */
export function describeCosts({ from, to, rows, totals }: Costs): string {
  if (rows.length === 0) return `No call that has a price was answered from ${from} to ${to}.`;
  const lines = rows.map(({ currency, calls, costMicros, groups, ...names }) => {
    const name = [...Object.values(names), groups?.join(' ')].filter((text) => text !== undefined && text !== null && text !== '').join(':');
    return `${inColumn(costMicros)} ${currency}  ${plainText(name === '' ? '(none)' : name, 120)}, ${calls} calls`;
  });
  return [...lines, ...totals.map(({ currency, calls, costMicros }) => `${inColumn(costMicros)} ${currency}  in all, ${calls} calls`)].join('\n');
}

const inColumn = (micros: string): string => amountText(micros).padStart(18);
