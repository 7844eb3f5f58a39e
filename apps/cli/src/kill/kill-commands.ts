import { Argument, type Command } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { withBreakGlass, withConnection } from '../with-connection.js';
import { switchTo } from './switch-to.js';

interface KillFlags extends ConnectionOptions {
  reason: string;
}

const kinds = ['agent', 'server'] as const;

/** Commands that switch one agent or server off everywhere, and on again. */
export function addKillCommands(program: Command, environment: Environment, print: (text: string) => void): void {
  const kill = command(program, 'kill', 'Switch an agent or a server off: nothing passes any more, what is in progress ends.');
  withConnection(kill).action(async (kind: (typeof kinds)[number], slug: string, flags: KillFlags) => {
    await switchTo(false, { kind, slug, reason: flags.reason }, await connect(flags, environment), print);
  });
  const revive = command(program, 'revive', 'Switch an agent or a server on again.');
  withBreakGlass(revive).action(async (kind: (typeof kinds)[number], slug: string, flags: KillFlags) => {
    await switchTo(true, { kind, slug, reason: flags.reason }, await connect(flags, environment), print);
  });
}

const command = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .addArgument(new Argument('<kind>', 'what it is').choices(kinds))
    .argument('<slug>', 'which one, by slug or id')
    .requiredOption('--reason <text>', 'why, for the record');
