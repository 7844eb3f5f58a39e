import { Command, InvalidArgumentError } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { withBreakGlass, withConnection } from '../with-connection.js';
import { access } from './access.js';
import { apply } from './apply.js';
import { exportPolicy, importPolicy } from './policy-file.js';
import { preview } from './preview.js';
import { revert } from './revert.js';
import { revisions } from './revisions.js';

interface ImportFlags extends ConnectionOptions {
  dryRun?: boolean;
  prune?: boolean;
  reason?: string;
}
interface PreviewFlags extends ConnectionOptions {
  days: number;
}
interface ApplyFlags extends ConnectionOptions {
  reason: string;
}
interface RevertFlags extends ConnectionOptions {
  dryRun?: boolean;
  reason: string;
}

type Print = (text: string) => void;

/** Commands about policy as a whole. */
export function addPolicyCommands(program: Command, environment: Environment, print: Print): void {
  const policy = program.command('policy').description('Policy as one file, and drafts of changes.');
  withConnection(policy.command('export').description('Print all of policy as YAML, without secrets.')).action(async (flags: ConnectionOptions) => {
    await exportPolicy(await connect(flags, environment), print);
  });
  const imported = policy
    .command('import')
    .description('Make policy say what a file says, in one revision.')
    .argument('<file>', 'YAML as "policy export" prints it; - reads standard input')
    .option('--dry-run', 'tell what would change, and change nothing')
    .option('--prune', 'also delete what the sections of the file leave out')
    .option('--reason <text>', 'why, for the record');
  withBreakGlass(imported).action(async (file: string, flags: ImportFlags) => {
    await importPolicy({ ...flags, file }, await connect(flags, environment), print);
  });
  const previewed = policy
    .command('preview')
    .description('Tell who would gain and lose what by a draft of changes.')
    .argument('<draft>', 'YAML or JSON with a list "changes", as POST /v1/policy/preview takes it; - reads standard input')
    .option('--days <n>', 'how far back recorded calls are decided again', days, 7);
  withConnection(previewed).action(async (file: string, flags: PreviewFlags) => {
    await preview({ file, days: flags.days }, await connect(flags, environment), print);
  });
  const applied = policy
    .command('apply')
    .description('Make a draft of changes, in one revision.')
    .argument('<draft>', 'as "policy preview" takes it')
    .requiredOption('--reason <text>', 'why, for the record');
  withBreakGlass(applied).action(async (file: string, flags: ApplyFlags) => {
    await apply({ file, reason: flags.reason }, await connect(flags, environment), print);
  });
  addRevisionCommands(program, environment, print);
  const listed = program.command('access').description('List all that an agent may use now.').argument('<agent>', 'the agent, by slug or id');
  withConnection(listed).action(async (agent: string, flags: ConnectionOptions) => {
    await access(agent, await connect(flags, environment), print);
  });
}

function addRevisionCommands(program: Command, environment: Environment, print: Print): void {
  const told = program
    .command('revisions')
    .description('List the newest changes of policy: number, time, author, action, reason.')
    .option('--limit <n>', 'how many', limit, 20);
  withConnection(told).action(async (flags: ConnectionOptions & { limit: number }) => {
    await revisions(flags.limit, await connect(flags, environment), print);
  });
  const reverted = program
    .command('revert')
    .description('Undo all that a revision did, as a new revision.')
    .argument('<revision>', 'its number', revision)
    .option('--dry-run', 'tell what would change and who would gain and lose what by it, and change nothing')
    .requiredOption('--reason <text>', 'why, for the record');
  withBreakGlass(reverted).action(async (number: number, flags: RevertFlags) => {
    const { reason, dryRun = false } = flags;
    await revert({ revision: number, reason, dryRun }, await connect(flags, environment), print);
  });
}

function days(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= 90) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0 to 90.');
}

function limit(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 200) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 to 200.');
}

function revision(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be the number of a revision.');
}
