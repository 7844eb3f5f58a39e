import { RotateAgentKey, type AgentKey } from '@portcullis/contracts/api/agents';
import { InvalidArgumentError, type Command } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { duration } from '../duration.js';
import { withConnection } from '../with-connection.js';

interface CreateFlags extends ConnectionOptions {
  name?: string;
  for?: number;
}
interface RotateFlags extends ConnectionOptions {
  overlap: number;
  reason?: string;
}

const DAY_SECONDS = 86_400;

/** Commands about the keys of agents. */
export function addAgentKeyCommands(program: Command, environment: Environment, print: (text: string) => void): void {
  const keys = program.command('agent-key').description('Keys that agents call with.');
  const list = keys
    .command('list')
    .description('List the keys of an agent, and when each was last called with.')
    .argument('<agent>', 'by slug or id');
  withConnection(list).action(async (agent: string, flags: ConnectionOptions) => {
    for await (const key of (await connect(flags, environment)).api.agents.keys(agent).each()) print(describeKey(key));
  });
  const create = keys
    .command('create')
    .description('Make a key for an agent. It is shown once.')
    .argument('<agent>', 'by slug or id')
    .option('--name <name>', 'what it is called in lists')
    .option('--for <duration>', 'how long it is good, such as 12h or 90d (default: until it is revoked)', lifetime);
  withConnection(create).action(async (agent: string, { name, for: seconds, ...flags }: CreateFlags) => {
    const expiresAt = seconds === undefined ? null : new Date(Date.now() + seconds * 1000).toISOString();
    const { value } = await (await connect(flags, environment)).api.agents.createKey(agent, { ...(name && { name }), expiresAt }, { wait: 'all' });
    print(`${value.key}\n${describeKey(value)}. It is not shown again.`);
  });
  addRotate(keys, environment, print);
  const revoke = keys.command('revoke').description('End a key at once.').argument('<agent>', 'by slug or id').argument('<key>', 'its id');
  withConnection(revoke).action(async (agent: string, key: string, flags: ConnectionOptions) => {
    await (await connect(flags, environment)).api.agents.revokeKey(agent, key, { wait: 'all' });
    print(`${key} is revoked.`);
  });
}

function addRotate(keys: Command, environment: Environment, print: (text: string) => void): void {
  const rotate = keys
    .command('rotate')
    .description('Make another key in the place of one, which goes on for a while. The new one is shown once.')
    .argument('<agent>', 'by slug or id')
    .argument('<key>', 'id of the key to replace')
    .option('--overlap <duration>', 'how long the old one goes on, such as 0s, 15m, 8h or 7d, 30 days at most', overlap, DAY_SECONDS)
    .option('--reason <text>', 'why, for the record');
  withConnection(rotate).action(async (agent: string, key: string, { overlap: overlapSeconds, reason, ...flags }: RotateFlags) => {
    const { api } = await connect(flags, environment);
    const { value } = await api.agents.rotateKey(agent, key, { overlapSeconds, ...(reason !== undefined && { reason }) }, { wait: 'all' });
    print(`${value.key}\n${describeKey(value)}. It is not shown again; ${key} ends ${value.replaced.expiresAt ?? ''}.`);
  });
}

function overlap(text: string): number {
  const seconds = duration(text);
  if (RotateAgentKey.shape.overlapSeconds.safeParse(seconds).success) return seconds;
  throw new InvalidArgumentError('It must be a number and s, m, h or d, 30 days at most.');
}

function lifetime(text: string): number {
  const seconds = duration(text);
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('It must be a number and s, m, h or d.');
}

function describeKey({ id, name, expiresAt, revokedAt, lastUsedAt }: AgentKey): string {
  const end = revokedAt === null ? (expiresAt === null ? 'without an end' : `until ${expiresAt}`) : `revoked ${revokedAt}`;
  return `${id}${name === null ? '' : ` (${name})`}: ${end}, ${lastUsedAt === null ? 'never called with' : `last called with ${lastUsedAt}`}`;
}
