import { decidesWhatRuns, LaunchProfile, type LaunchProgram, type LaunchVariable, VariableName } from '@portcullis/contracts/runner/launch-profile';
import { launchHash } from '../launch/require-launch.js';
import { holdsSecretArgument, isSecretVariable } from '../servers/holds-secret.js';
import { RowRefused, type Command } from './source-row.js';

/** What is to be started, and the secrets that go into the server's credential: never into a profile, which is kept and shown. */
export interface Launch {
  readonly profile: LaunchProfile;
  readonly hash: string;
  readonly secrets: readonly (readonly [name: string, value: string])[];
  /** Variables that came with a place to be filled in. */
  readonly missing: readonly string[];
}

const PLACEHOLDER = /\$\{[^}]*\}|\{\{[^}]*\}\}|<[^>]+>|^(?:your|my)[-_ ]|^\$[A-Z_]+$|^(?:x{4,}|\.{3}|…)$/i;
/** Of `npx` and `uvx`: those that change nothing but what is asked and said. */
const NPX_QUIET: ReadonlySet<string> = new Set(['-y', '--yes', '-q', '--quiet', '--silent', '--']);
const UVX_QUIET: ReadonlySet<string> = new Set(['-q', '--quiet', '--no-progress', '--']);

/**
 * A profile for a command of a client's settings. Only what such a command plainly says is taken: an absolute program, or one exact version of a package.
 * Throws a RowRefused, which never repeats a value, for everything else.
 */
export function launchFrom({ command, args, env, cwd }: Command, key: string): Launch {
  const refuse = (code: string, detail: string, pointer: string): never => {
    throw new RowRefused(code, detail, { pointer, key });
  };
  const { program, rest } = programOf(command, args, refuse);
  if (rest.some((argument) => PLACEHOLDER.test(argument)))
    refuse('placeholder_in_arguments', 'An argument has a place that is still to be filled in.', '/args');
  if (holdsSecretArgument(rest))
    refuse('secret_in_arguments', 'An argument seems to hold a key or token. It was not kept; give it to the program by a variable.', '/args');
  const { environment, secrets, missing } = environmentFrom(env, refuse);
  // Most servers of such settings are there to reach something; whoever approves sees it.
  const wanted = { program, args: rest, workingFolder: cwd ?? null, environment, network: 'outbound' };
  const parsed = LaunchProfile.safeParse(wanted);
  if (parsed.success) return { profile: parsed.data, hash: launchHash(parsed.data), secrets, missing };
  const [issue] = parsed.error.issues;
  const [at = 'command'] = issue?.path ?? [];
  return refuse('invalid_command', `It cannot be started so: ${issue?.message ?? 'it is not understood'}.`, pointers[String(at)] ?? '/command');
}

const pointers: Readonly<Record<string, string>> = { program: '/command', args: '/args', workingFolder: '/cwd', environment: '/env' };

type Refuse = (code: string, detail: string, pointer: string) => never;
interface Found {
  readonly program: LaunchProgram;
  readonly rest: readonly string[];
}

function programOf(command: string, args: readonly string[], refuse: Refuse): Found {
  const name = command.replace(/^.*[\\/]/, '').replace(/\.(?:cmd|exe|bat|ps1)$/i, '');
  // Windows starts scripts by its shell, and clients there say so.
  if (name === 'cmd' && /^\/c$/i.test(args[0] ?? '') && args[1] !== undefined) return programOf(args[1], args.slice(2), refuse);
  if (name === 'npx') return npx(args, refuse);
  if (name === 'uvx') return uvx(args, refuse);
  if (name === 'uv' && args[0] === 'tool' && args[1] === 'run') return uvx(args.slice(2), refuse);
  if (command.startsWith('/')) return { program: { kind: 'executable', path: command }, rest: args };
  return refuse('command_not_absolute', 'The command is not absolute: name the file itself, or a package by npx or uvx.', '/command');
}

function npx(args: readonly string[], refuse: Refuse): Found {
  const { options, first, rest } = split(args, NPX_QUIET, ['-p', '--package'], refuse);
  const [named] = options;
  const spec = named ?? first ?? '';
  const at = spec.lastIndexOf('@');
  if (at <= 0) return unpinned('<package>@1.2.3', refuse);
  const program = { kind: 'npm' as const, name: spec.slice(0, at), version: spec.slice(at + 1) };
  if (!/^\d+\.\d+\.\d+/.test(program.version)) return unpinned('<package>@1.2.3', refuse);
  return { program: named === undefined || first === undefined ? program : { ...program, command: first }, rest };
}

function uvx(args: readonly string[], refuse: Refuse): Found {
  const { options, first, rest } = split(args, UVX_QUIET, ['--from'], refuse);
  const [named] = options;
  const [, name, version] = /^([A-Za-z0-9._-]+)(?:==|@)(\d[^@=]*)$/.exec(named ?? first ?? '') ?? [];
  if (name === undefined || version === undefined) return unpinned('<package>==1.2.3', refuse);
  const program = { kind: 'uv' as const, name, version };
  return { program: named === undefined || first === undefined ? program : { ...program, command: first }, rest };
}

const unpinned = (how: string, refuse: Refuse): never =>
  refuse(
    'version_not_pinned',
    `The package is not pinned: name one exact version, as ${how}. What is newest today may be somebody else's tomorrow.`,
    '/args',
  );

/** Options of the starter, up to the first word that is none; whatever else it is told would decide what runs. */
function split(args: readonly string[], quiet: ReadonlySet<string>, named: readonly string[], refuse: Refuse) {
  const options: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] ?? '';
    const [option = '', value] = argument.split(/=(.*)/s);
    if (named.includes(option)) options.push(value ?? args[(at += 1)] ?? '');
    else if (!argument.startsWith('-')) return { options, first: argument, rest: args.slice(at + 1) };
    else if (!quiet.has(argument)) refuse('option_not_supported', 'The command has an option before the package that is not taken over.', '/args');
  }
  return { options, first: undefined, rest: [] };
}

/** Every value is a secret, but of variables that decide which code runs: whoever approves has to see those. */
function environmentFrom(env: Command['env'], refuse: Refuse) {
  const environment: Record<string, LaunchVariable> = {};
  const secrets: [string, string][] = [];
  const missing: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!VariableName.safeParse(name).success) refuse('invalid_variable', 'A variable has no name that a program could read.', '/env');
    if (value.length > 8192 || value.includes('\0')) refuse('invalid_variable', 'A value is longer than 8,192 characters, or holds NUL.', '/env');
    const isOpen = value === '' || PLACEHOLDER.test(value);
    if (decidesWhatRuns(name)) {
      if (isOpen) continue;
      if (isSecretVariable(name, value))
        refuse(
          'secret_in_variable',
          'A variable that may decide which code runs seems to hold a key or token. It was not kept: what is approved has to be seen.',
          '/env',
        );
      environment[name] = { value };
      continue;
    }
    environment[name] = { secret: name };
    if (isOpen) missing.push(name);
    else secrets.push([name, value]);
  }
  return { environment, secrets, missing };
}
