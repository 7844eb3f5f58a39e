import { type Command, InvalidArgumentError } from 'commander';
import { ask } from '../add/ask.js';
import { CliError } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { withBreakGlass, withConnection } from '../with-connection.js';
import { approve } from './approve.js';
import { describeDrift } from './describe-drift.js';

interface DriftFlags extends ConnectionOptions {
  days: number;
  server?: string;
  open?: boolean;
}
interface ApproveFlags extends ConnectionOptions {
  reason: string;
  yes?: boolean;
}

type Print = (text: string) => void;

const DAY_MS = 86_400_000;
const shownMax = 200;

/** Commands about what servers changed. */
export function addDriftCommands(program: Command, environment: Environment, print: Print): void {
  addDrift(program, environment, print);
  addApprove(program, environment, print);
}

function addDrift(program: Command, environment: Environment, print: Print): void {
  const command = program
    .command('drift')
    .description('Tell what servers changed: this week, newest first, and how much at each server.')
    .option('--days <n>', 'so many days back', days, 7)
    .option('--server <slug>', 'only at this server')
    .option('--open', 'only what waits for a decision');
  withConnection(command).action(async ({ days: back, server, open, ...flags }: DriftFlags) => {
    const { api } = await connect(flags, environment);
    const from = new Date(Date.now() - back * DAY_MS).toISOString();
    const only = { ...(server === undefined ? {} : { server }), ...(open === true ? { decided: 'false' as const } : {}) };
    const { items, total, servers } = await api.drift.list.page({ from, limit: shownMax, ...only });
    if (total === 0) return print(`Nothing changed in ${String(back)} days.`);
    for (const change of items) print(describeDrift(change));
    if (total > items.length) print(`… and ${String(total - items.length)} before these.`);
    print(`${String(total)} changes: ${servers.map((one) => `${one.server} ${String(one.changes)}`).join(', ')}`);
  });
}

function addApprove(program: Command, environment: Environment, print: Print): void {
  const command = program
    .command('approve')
    .description('Approve what a server offers and nobody has approved: new and changed definitions, all of them or some.')
    .argument('<server>', 'the server, by slug or id')
    .argument('[names...]', 'names, or globs such as get_*; none: everything that waits')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--yes', 'without asking');
  withBreakGlass(command).action(async (server: string, names: string[], { reason, yes, ...flags }: ApproveFlags) => {
    if (yes !== true && !process.stdin.isTTY) throw new CliError('There is no terminal to ask at. Give --yes to approve what waits.');
    const { api } = await connect(flags, environment);
    await approve({ server, names, reason, confirm: yes === true ? () => Promise.resolve(true) : ask }, api, print);
  });
}

function days(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of days, from 1.');
}
