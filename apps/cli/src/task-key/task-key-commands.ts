import { CreateTaskKey, TaskName } from '@portcullis/contracts/task-keys';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { CliError } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { duration } from '../duration.js';
import { withConnection } from '../with-connection.js';

interface TaskKeyFlags extends ConnectionOptions {
  servers?: string[];
  tools?: string[];
  for: number;
}

const HOUR_SECONDS = 3600;

/** Commands about keys that are good for one task. */
export function addTaskKeyCommands(program: Command, environment: Environment, print: (text: string) => void): void {
  const command = program
    .command('task-key')
    .description('Make a key for one task of an agent: good for less than its own, and for a while. It is shown once.')
    .argument('<agent>', 'the agent, by slug or id')
    .argument('<task>', 'name of the task in the audit trail', task)
    .option('--servers <servers>', 'only these servers, separated by commas; * stands for any run of characters', list)
    .option('--tools <tools>', 'only these tools as server:tool, separated by commas', list)
    .option('--for <duration>', 'how long, such as 90s, 15m or 8h, a day at most', lifetime, HOUR_SECONDS);
  withConnection(command).action(async (agent: string, name: string, { servers, tools, for: ttlSeconds, ...flags }: TaskKeyFlags) => {
    const wanted = CreateTaskKey.safeParse({ task: name, servers, tools, ttlSeconds });
    if (!wanted.success) throw new CliError(`There is no such key:\n${z.prettifyError(wanted.error)}`);
    const { api } = await connect(flags, environment);
    const made = await api.agents.createTaskKey(agent, wanted.data);
    print(`${made.key}\nGood for ${made.task} of ${made.agent} until ${made.expiresAt}. It is not shown again.`);
  });
}

function task(text: string): string {
  if (TaskName.safeParse(text).success) return text;
  throw new InvalidArgumentError('It must be 1–128 characters of A–Z, a–z, 0–9 and . _ : / @ + -.');
}

const list = (text: string): string[] => text.split(',').map((name) => name.trim());

function lifetime(text: string): number {
  const seconds = duration(text);
  if (CreateTaskKey.shape.ttlSeconds.safeParse(seconds).success) return seconds;
  throw new InvalidArgumentError('It must be a number and s, m or h, a day at most.');
}
