import { AuditFilter } from '@portcullis/contracts/api/audit-search';
import { AuditDecision, AuditStatus } from '@portcullis/contracts/audit';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError } from '../cli-error.js';

/** What calls are meant, as flags say it. */
export interface FilterFlags {
  readonly [flag: string]: unknown;
}

const names: readonly (readonly [flag: string, filter: keyof AuditFilter, description: string])[] = [
  ['agent <slug>', 'agent', 'calls of this agent'],
  ['group <slug>', 'group', 'of the agents of this group'],
  ['owner <name>', 'owner', 'of the agents of this owner'],
  ['operator <name>', 'operator', 'what this operator did'],
  ['server <slug>', 'server', 'calls of this server'],
  ['tool <name>', 'tool', 'of this tool, prompt or resource'],
  ['task <name>', 'task', 'with a key of this task'],
  ['on-behalf-of <subject>', 'onBehalfOf', 'on behalf of this subject of an access token'],
  ['claimed <agent>', 'claimedAgent', 'whose client gave itself the name of this agent, and was another'],
  ['method <name>', 'method', 'of this method, such as tools/call'],
  ['min-ms <ms>', 'durationMsMin', 'that took at least so long'],
  ['max-ms <ms>', 'durationMsMax', 'that took at most so long'],
  ['revision <n>', 'revision', 'decided by this very revision of policy; a node may pass over some'],
  ['min-revision <n>', 'revisionMin', 'decided by this revision of policy or a later one'],
  ['max-revision <n>', 'revisionMax', 'decided by this revision of policy or an earlier one'],
  ['trace <id>', 'traceId', 'of this trace'],
  ['request <id>', 'requestId', 'of this access request'],
  ['node <name>', 'node', 'that this node served'],
  ['arguments-text <text>', 'argumentsText', 'with this text in the arguments'],
  ['result-text <text>', 'resultText', 'with this text in the result'],
];

/** Adds one flag for each filter of the trail. */
export function withFilters(command: Command): Command {
  for (const [flag, , description] of names) command.option(`--${flag}`, description);
  return command
    .addOption(new Option('--decision <decision>', 'decided like this').choices(AuditDecision.options))
    .addOption(new Option('--status <status>', 'ended like this').choices([...AuditStatus.options, 'unknown']));
}

/** Flags for when calls began. */
export const withTimes = (command: Command): Command =>
  command
    .option('--from <time>', 'that began at or after this: a time, or how long ago, such as 30m, 8h or 2d', momentOf)
    .option('--to <time>', 'that began before this', momentOf);

/** The filter that the flags and the words to look for make. */
export function filterOf(flags: FilterFlags, words: readonly string[] = []): AuditFilter {
  const given = Object.fromEntries([
    ...names.map(([flag, filter]) => [filter, flags[camelCase(flag)]] as const),
    ...(['decision', 'status', 'from', 'to'] as const).map((name) => [name, flags[name]] as const),
    ['q', words.length === 0 ? undefined : words.join(' ')] as const,
  ]);
  const filter = AuditFilter.safeParse(given);
  if (filter.success) return Object.fromEntries(Object.entries(filter.data).filter(([, value]) => value !== undefined));
  const [fault] = filter.error.issues;
  const flag = names.find(([, name]) => name === fault?.path[0])?.[0] ?? String(fault?.path[0]);
  throw new CliError(`--${flag.split(' ')[0] ?? ''}: ${fault?.message ?? 'is not valid'}.`);
}

const camelCase = (flag: string): string => (flag.split(' ')[0] ?? '').replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function momentOf(text: string): string {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const ms = unit === undefined ? Date.parse(text) : Date.now() - Number(count) * (unitMs[unit] ?? 0);
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw new InvalidArgumentError('It must be a time, or a number and m, h or d.');
}
