import { DeliveryState, type WebhookDelivery } from '@portcullis/contracts/api/webhooks';
import { type Command, Option } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainText } from '../plain-text.js';
import { wholeNumber } from '../whole-number.js';
import { withConnection } from '../with-connection.js';

interface DeliveriesFlags extends ConnectionOptions {
  state?: DeliveryState;
  limit: number;
}

/** `portcullis webhook deliveries` and `redeliver`. */
export function addDeliveryCommands(webhook: Command, environment: Environment, print: (text: string) => void): void {
  const deliveries = webhook
    .command('deliveries')
    .description('List what was sent to a webhook or is to be sent, newest first. What is dead was given up after 18 hours: have it sent again.')
    .argument('<id>', 'the webhook, as the list shows it')
    .addOption(new Option('--state <state>', 'only those; dead is the dead letter list').choices(DeliveryState.options))
    .option('--limit <n>', 'how many to show', wholeNumber(1, 200), 50);
  withConnection(deliveries).action(async (id: string, { state, limit, ...flags }: DeliveriesFlags) => {
    const { api } = await connect(flags, environment);
    const { items } = await api.webhooks.deliveries(id).page({ limit, ...(state !== undefined && { state }) });
    for (const delivery of items) print(describeDelivery(delivery));
    if (items.length === 0) print('There is none.');
  });
  const redeliver = webhook
    .command('redeliver')
    .description('Have a message sent once more, whatever became of it, under the id that its receiver knows.')
    .argument('<id>', 'the webhook, as the list shows it')
    .argument('<delivery>', 'the message, as deliveries shows it');
  withConnection(redeliver).action(async (id: string, delivery: string, flags: ConnectionOptions) => {
    const { api } = await connect(flags, environment);
    print(`${describeDelivery(await api.webhooks.redeliver(id, delivery))}\nIt is being sent: deliveries tells how that ends.`);
  });
}

/** A message in one line: when, what, what became of it. What receivers answered is foreign words. */
export function describeDelivery({ id, createdAt, type, state, attempts, nextAttemptAt, lastError }: WebhookDelivery): string {
  const tried = attempts === 0 ? 'not sent yet' : `sent ${attempts} ${attempts === 1 ? 'time' : 'times'}`;
  const next = nextAttemptAt === null ? [] : [`next at ${timeOf(nextAttemptAt)}`];
  const error = lastError === null || state === 'delivered' ? [] : [plainText(lastError, 200)];
  return `${timeOf(createdAt)}  ${plainText(type, 100).padEnd(20)} ${[state.padEnd(9), tried, ...next, ...error].join(', ')}  ${id}`;
}

const timeOf = (at: string): string => at.slice(0, 19).replace('T', ' ');
