import type { Webhook } from '@portcullis/contracts/api/webhooks';
import type { Command } from 'commander';
import type { Collection } from '../collections/collection-commands.js';
import { addCollection } from '../collections/collection-commands.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { CliError } from '../cli-error.js';
import { plainText } from '../plain-text.js';
import { withConnection } from '../with-connection.js';

const webhooks: Collection<Webhook, Record<string, never>> = {
  name: 'webhook',
  description: 'Who is told of alerts, with requests signed as Standard Webhooks: list, add, remove, test.',
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
}

function describeWebhook({ id, name, url, enabled, disabledReason }: Webhook): string {
  const why = disabledReason === null ? '' : `: ${plainText(disabledReason, 200)}`;
  return `${id}  ${plainText(name, 200)}  ${plainText(url, 300)}${enabled ? '' : `  (disabled${why})`}`;
}
