import { type Price, PriceBasis } from '@portcullis/contracts/api/costs';
import { type Command, Option } from 'commander';
import type { Collection } from '../collections/collection-commands.js';
import { amountText, microsOf } from '../collections/amount.js';
import { plainText } from '../plain-text.js';
import { wholeNumber } from '../whole-number.js';

interface PriceFlags {
  tool: string;
  amount: string;
  currency: string;
  per: number;
  basis: PriceBasis;
  unit?: string;
  from?: string;
}

/** `portcullis price`. */
export const prices: Collection<Price, PriceFlags> = {
  name: 'price',
  description: 'What calls of tools cost: list, add, remove. A price is not changed, another follows it.',
  list: (api) => api.prices.list.each({}),
  describe: describePrice,
  declare: (command: Command) =>
    command
      .description('Set what answered calls cost from a time on.')
      .argument('<server>', 'a name, or a glob such as git*')
      .requiredOption('--amount <number>', 'for each call, or for so many bytes or units', microsOf)
      .requiredOption('--currency <code>', 'three capital letters, such as EUR')
      .option('--tool <name>', 'a name, or a glob', '*')
      .addOption(new Option('--basis <what>', 'what is counted').choices(PriceBasis.options).default('call'))
      .option('--unit <pointer>', 'with the basis unit: where results report it in _meta, such as /usage/tokens')
      .option('--per <n>', 'for so many bytes or units', wholeNumber(1, 1_000_000_000_000), 1)
      .option('--from <time>', 'from when on; now unless it is given'),
  add: async (api, [server = ''], { tool, amount, currency, per, basis, unit, from }) => {
    const price = { server, tool, amountMicros: amount, currency, per, basis };
    const more = { ...(unit === undefined ? {} : { unit }), ...(from === undefined ? {} : { effectiveFrom: from }) };
    const { value } = await api.prices.create({ ...price, ...more }, { wait: 'all' });
    return describePrice(value);
  },
  remove: (api, id) => api.prices.delete(id),
};

export function describePrice({ id, server, tool, basis, unit, amountMicros, per, currency, effectiveFrom }: Price): string {
  const what = basis === 'call' ? 'call' : basis === 'byte' ? `${per} bytes` : `${per} of ${plainText(unit ?? '', 128)}`;
  return `${id}  ${plainText(`${server}:${tool}`, 200)}  ${amountText(amountMicros)} ${currency} for each ${what}, from ${effectiveFrom}`;
}
