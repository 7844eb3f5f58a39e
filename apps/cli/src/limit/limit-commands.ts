import type { Limit } from '@portcullis/contracts/api/limits';
import type { CallLimitTerms } from '@portcullis/contracts/limits';
import { type Command, InvalidArgumentError } from 'commander';
import { CliError } from '../cli-error.js';
import type { Collection } from '../collections/collection-commands.js';
import { limitedCalls, limitTerms } from './limit-words.js';

interface LimitFlags {
  agent?: string;
  group?: string;
  server?: string;
  tools?: string[];
  rate?: CallLimitTerms;
  quota?: CallLimitTerms;
  atOnce?: CallLimitTerms;
}

/** `portcullis limit`. */
export const limits: Collection<Limit, LimitFlags> = {
  name: 'limit',
  description: 'How often agents, groups, servers and tools may be called: list, add, remove.',
  list: (api) => api.limits.list.each({}),
  describe: describeLimit,
  declare: (command: Command) =>
    command
      .description('Say how often an agent, the members of a group together, a server, or each of some of its tools may be called.')
      .option('--agent <slug>', 'whose calls')
      .option('--group <slug>', 'whose calls')
      .option('--server <slug>', 'calls to it')
      .option('--tools <names>', 'of the server, separated by commas, * for any run of characters: each has the limit to itself', (text) =>
        text.split(','),
      )
      .option('--rate <calls/seconds>', 'such as 100/60: so many in any so many seconds', rateIn)
      .option('--quota <calls/period>', 'such as 1000/day or 20000/month, in UTC', quotaIn)
      .option('--at-once <calls>', 'on each node', atOnceIn),
  add: async (api, _named, { rate, quota, atOnce, ...subject }) => {
    const [terms, more] = [rate, quota, atOnce].filter((one) => one !== undefined);
    if (terms === undefined || more !== undefined) throw new CliError('Give --rate, --quota or --at-once, one of them.');
    return describeLimit((await api.limits.create({ ...subject, terms })).value);
  },
  remove: (api, id) => api.limits.delete(id),
};

function rateIn(text: string): CallLimitTerms {
  const [, calls, perSeconds] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (calls === undefined || perSeconds === undefined) throw new InvalidArgumentError('It must be calls/seconds, such as 100/60.');
  return { kind: 'rate', calls: Number(calls), perSeconds: Number(perSeconds) };
}

function quotaIn(text: string): CallLimitTerms {
  const [, calls, per] = /^(\d+)\/(day|month)$/.exec(text) ?? [];
  if (per !== 'day' && per !== 'month') throw new InvalidArgumentError('It must be calls/day or calls/month, such as 1000/day.');
  return { kind: 'quota', calls: Number(calls), per };
}

function atOnceIn(text: string): CallLimitTerms {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return { kind: 'concurrency', calls: Number(text) };
}

export function describeLimit({ id, subject, terms, used, spentUntil }: Limit): string {
  const left = used === null ? '' : `, ${String(used)} used${spentUntil === null ? '' : `, none left until ${spentUntil}`}`;
  return `${id}  ${limitedCalls(subject)}: ${limitTerms(terms)}${left}`;
}
