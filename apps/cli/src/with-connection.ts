import { type Command, InvalidArgumentError, Option } from 'commander';

/** Options that say where the control plane is. */
export const withConnection = (command: Command): Command =>
  command
    .addOption(new Option('--url <url>', 'address of the control plane (PORTCULLIS_URL; default: the local stack)'))
    .addOption(new Option('--token <token>', "an operator's token (PORTCULLIS_TOKEN, which other users of the machine cannot see)"))
    .addOption(new Option('--data <directory>', 'data directory of the local stack (PORTCULLIS_DATA; default: .portcullis in the checkout)'));

/** The same for a command that may give more to an agent of the operator's own. */
export const withBreakGlass = (command: Command): Command =>
  withConnection(command).option(
    '--break-glass <reason>',
    'go on although it widens an agent of your own, if you have the right; kept on record',
    reason,
  );

function reason(text: string): string {
  if (text.trim().length >= 10) return text.trim();
  throw new InvalidArgumentError('It must be a reason of at least ten characters.');
}
