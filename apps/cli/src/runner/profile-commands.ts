import { LaunchProfileState, ProposeLaunchProfile, type LaunchProfileVersion } from '@portcullis/contracts/api/launch-profiles';
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { orMissing } from '../or-missing.js';
import { plainText } from '../plain-text.js';
import { readInput } from '../policy/read-input.js';
import { wholeNumber } from '../whole-number.js';
import { withConnection } from '../with-connection.js';

type Print = (text: string) => void;
type ListFlags = ConnectionOptions & { server?: string; state?: LaunchProfileState };
type DecisionFlags = ConnectionOptions & { reason?: string };

const version = wholeNumber(1, 2_147_483_647);

/** Commands for what servers of stdio are started as. */
export function addProfileCommands(program: Command, environment: Environment, print: Print): void {
  const profile = program.command('profile').description('Launch profiles: what servers of stdio are started as.');
  const list = profile
    .command('list')
    .description('List profiles.')
    .option('--server <slug>', 'only of this server')
    .addOption(new Option('--state <state>', 'only those in this state').choices(LaunchProfileState.options));
  withConnection(list).action(async ({ server, state, ...flags }: ListFlags) => {
    const { api } = await connect(flags, environment);
    const query = { ...(server !== undefined && { server }), ...(state !== undefined && { state }) };
    for await (const one of api.profiles.list.each(query)) print(briefly(one));
  });
  withConnection(named(profile.command('show').description('Show all of a profile.'))).action(
    async (server: string, number: number, flags: ConnectionOptions) => {
      print(describeProfile(await (await connect(flags, environment)).api.profiles.read(server, number)));
    },
  );
  const propose = profile
    .command('propose')
    .description('Propose a new version of what a server is started as. It waits for approval.')
    .argument('<server>', 'the server; registered where there is none of this slug')
    .option('--file <file>', 'where the profile is read from, as JSON; - is standard input', '-')
    .option('--reason <text>', 'why, for the record');
  withConnection(propose).action(async (server: string, { file, reason, ...flags }: DecisionFlags & { file: string }) => {
    const { api } = await connect(flags, environment);
    const { profile: read } = profileOf(await readInput(file));
    const proposed = { profile: read, ...(reason !== undefined && { reason }) };
    if ((await orMissing(api.servers.read(server))) !== undefined)
      return print(describeProfile((await api.profiles.propose(server, proposed)).value));
    await api.servers.create({ slug: server, transport: 'stdio', ...proposed });
    print(describeProfile(await api.profiles.read(server, 1)));
  });
  addDecisions(profile, environment, print);
}

function addDecisions(profile: Command, environment: Environment, print: Print): void {
  const approve = named(profile.command('approve').description('Have this run, and nothing else.'))
    .argument('<hash>', 'as show prints it: what you looked at')
    .option('--reason <text>', 'why, for the record');
  withConnection(approve).action(async (server: string, number: number, hash: string, { reason, ...flags }: DecisionFlags) => {
    const { api } = await connect(flags, environment);
    print(briefly((await api.profiles.approve(server, number, { hash, ...(reason !== undefined && { reason }) }, { wait: 'all' })).value));
  });
  const reject = named(profile.command('reject').description('Do not have it run, or no longer.')).option('--reason <text>', 'why, for the record');
  withConnection(reject).action(async (server: string, number: number, { reason, ...flags }: DecisionFlags) => {
    const { api } = await connect(flags, environment);
    print(briefly((await api.profiles.reject(server, number, reason === undefined ? {} : { reason }, { wait: 'all' })).value));
  });
}

const named = (command: Command): Command => command.argument('<server>', 'the server').argument('<version>', 'which version', version);

function profileOf(text: string): ProposeLaunchProfile {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new CliError('What is read has to be a profile as JSON.');
  }
  const parsed = ProposeLaunchProfile.safeParse({ profile: read });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError(`This is no profile: ${issue?.path.slice(1).join('.') ?? ''} ${issue?.message ?? ''}`);
}

function briefly({ server, version: number, state, profile: { program, args } }: LaunchProfileVersion): string {
  const what = program.kind === 'executable' ? program.path : `${program.name}@${program.version} (${program.kind})`;
  return `${server} ${String(number)}: ${state}; ${plainText([what, ...args].join(' '), 300)}`;
}

/** All that decides what runs, each argument on its own. Arguments are foreign words: written as JSON, so that nothing in them acts on a terminal. */
function describeProfile(one: LaunchProfileVersion): string {
  const { hash, profile, proposedBy, reason, decidedBy, decisionReason, next } = one;
  const why = (text: string | null): string => (text === null ? '' : `: ${plainText(text)}`);
  const inert = JSON.stringify(profile, null, 2).replaceAll(/[^\x20-\x7e\n]/g, (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [
    briefly(one),
    inert,
    `hash ${hash}`,
    `proposed by ${plainText(proposedBy)}${why(reason)}`,
    ...(decidedBy === null ? [] : [`decided by ${plainText(decidedBy)}${why(decisionReason)}`]),
    ...next.map((step) => `  ${step}`),
  ].join('\n');
}
