import type { Alert } from '@portcullis/contracts/api/alerts';
import type { Command } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainText } from '../plain-text.js';
import { wholeNumber } from '../whole-number.js';
import { withConnection } from '../with-connection.js';

interface AlertsFlags extends ConnectionOptions {
  limit: number;
}

/** `portcullis alerts`. */
export function addAlertsCommand(program: Command, environment: Environment, print: (text: string) => void): void {
  const command = program
    .command('alerts')
    .description('List what was raised by alert rules, newest first.')
    .option('--limit <n>', 'how many to show', wholeNumber(1, 200), 50);
  withConnection(command).action(async ({ limit, ...flags }: AlertsFlags) => {
    const { api } = await connect(flags, environment);
    const { items } = await api.alerts.page({ limit });
    for (const alert of items) print(describeAlert(alert));
    if (items.length === 0) print('Nothing was raised.');
  });
}

/** An alert in one line. Names are foreign words. */
const describeAlert = ({ at, severity, summary, rule }: Alert): string =>
  `${at.slice(0, 19).replace('T', ' ')}  ${severity.padEnd(8)} ${plainText(summary, 300)}  (${plainText(rule, 100)})`;
