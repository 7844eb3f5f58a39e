import type { Webhook } from '@portcullis/contracts/api/webhooks';
import { InvalidArgumentError, type Command } from 'commander';
import type { Collection } from '../collections/collection-commands.js';
import { addCollection } from '../collections/collection-commands.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { CliError } from '../cli-error.js';
import { duration } from '../duration.js';
import { plainText } from '../plain-text.js';
import { withConnection } from '../with-connection.js';
import { addDeliveryCommands } from './delivery-commands.js';

const DAY_SECONDS = 86_400;
const OVERLAP_SECONDS_MAX = 7 * DAY_SECONDS;

const webhooks: Collection<Webhook, Record<string, never>> = {
  name: 'webhook',
  description: 'Who is told of alerts, with requests signed as Standard Webhooks, and what became of each message.',
  list: (api) => api.webhooks.list.each({}),
  describe: describeWebhook,
  declare: (command: Command) =>
    command
      .description('Tell this address of alerts. Its secret is shown once.')
      .argument('<name>', 'how lists call it')
      .argument('<url>', 'where messages are posted'),
  add: async (api, [name = '', url = '']) => {
    const made = await api.webhooks.create({ name, url });
    return `${describeWebhook(made)}\nIts secret, shown once: ${made.secret ?? 'as given'}`;
  },
  remove: (api, id) => api.webhooks.delete(id),
};

/** `portcullis webhook`. */
export function addWebhookCommands(program: Command, environment: Environment, print: (text: string) => void): void {
  const command = addCollection(program, environment, print, webhooks);
  const test = command.command('test').description('Send a message now, and tell how it was taken.').argument('<id>', 'its id, as the list shows it');
  withConnection(test).action(async (id: string, flags: ConnectionOptions) => {
    const { api } = await connect(flags, environment);
    const { delivered, status, error } = await api.webhooks.test(id);
    if (!delivered) throw new CliError(`It was not taken: ${plainText(error ?? `status ${status ?? 'unknown'}`, 300)}`);
    print(`It was taken, with status ${status ?? 'unknown'}.`);
  });
  addRotate(command, environment, print);
  addDeliveryCommands(command, environment, print);
}

function addRotate(webhook: Command, environment: Environment, print: (text: string) => void): void {
  const rotate = webhook
    .command('rotate')
    .description('Make another secret, which is shown once. For a while messages are signed with both, so that the receiver can change over.')
    .argument('<id>', 'its id, as the list shows it')
    .option('--overlap <duration>', 'how long the old one signs as well, such as 0s, 15m or 2d, 7 days at most', overlap, DAY_SECONDS);
  withConnection(rotate).action(async (id: string, { overlap: bothForSeconds, ...flags }: ConnectionOptions & { overlap: number }) => {
    const { api } = await connect(flags, environment);
    const { secret, previousSecretUntil } = await api.webhooks.rotateSecret(id, { bothForSeconds });
    const before = previousSecretUntil === null ? 'The one before signs no more.' : `The one before signs as well until ${previousSecretUntil}.`;
    print(`Its secret, shown once: ${secret ?? 'as given'}\n${before}`);
  });
}

function overlap(text: string): number {
  const seconds = duration(text);
  if (!(seconds <= OVERLAP_SECONDS_MAX)) throw new InvalidArgumentError('It must be a number and s, m, h or d, 7 days at most.');
  return seconds;
}

function describeWebhook({ id, name, url, enabled, disabledReason }: Webhook): string {
  const why = disabledReason === null ? '' : `: ${plainText(disabledReason, 200)}`;
  return `${id}  ${plainText(name, 200)}  ${plainText(url, 300)}${enabled ? '' : `  (disabled${why})`}`;
}
