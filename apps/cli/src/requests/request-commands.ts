import { AccessRequestStatus, DurationText } from '@portcullis/contracts/api/access-requests';
import { type Command, InvalidArgumentError } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { withBreakGlass, withConnection } from '../with-connection.js';
import { describeGiven, describeRequest } from './describe-request.js';

interface ListFlags extends ConnectionOptions {
  status: AccessRequestStatus;
  agent?: string;
}
interface DecisionFlags extends ConnectionOptions {
  reason: string;
  names?: string[];
  for?: number;
  condition?: string;
}

type Print = (text: string) => void;

/** Commands for those who decide what agents ask for. */
export function addRequestCommands(program: Command, environment: Environment, print: Print): void {
  addList(program, environment, print);
  addApprove(program, environment, print);
  addDeny(program, environment, print);
}

function addList(program: Command, environment: Environment, print: Print): void {
  const command = program
    .command('requests')
    .description('List what was asked for: open requests, or those of another status.')
    .option('--status <status>', AccessRequestStatus.options.join(', '), status, 'open')
    .option('--agent <slug>', 'only for this agent');
  withConnection(command).action(async ({ status: wanted, agent, ...flags }: ListFlags) => {
    const { api } = await connect(flags, environment);
    let found = 0;
    for await (const request of api.accessRequests.list.each({ status: wanted, ...(agent === undefined ? {} : { agent }) })) {
      print(describeRequest(request));
      found += 1;
    }
    if (found === 0) print(`There is no request that is ${wanted}.`);
  });
}

function addApprove(program: Command, environment: Environment, print: Print): void {
  const command = program
    .command('approve-request')
    .description('Give what was asked for, or less of it, until its time is over.')
    .argument('<id>', 'the request')
    .requiredOption('--reason <text>', 'why, for the agent and for the record')
    .option('--names <names>', 'only these of the names asked for, separated by commas', (text: string) => text.split(','))
    .option('--for <duration>', 'shorter than asked, such as 30m, 8h or 2d', duration)
    .option('--condition <cel>', 'only where this holds, such as args.repo == "acme"');
  withBreakGlass(command).action(async (id: string, { reason, names, for: durationSeconds, condition, ...flags }: DecisionFlags) => {
    const { api } = await connect(flags, environment);
    const decision = {
      reason,
      ...(names === undefined ? {} : { names }),
      ...(durationSeconds === undefined ? {} : { durationSeconds }),
      ...(condition === undefined ? {} : { condition }),
    };
    const { value } = await api.accessRequests.approve(id, decision, { wait: 'all' });
    print(describeRequest(value));
    if (value.grantId !== null) print(describeGiven(await api.grants.read(value.grantId)));
  });
}

function addDeny(program: Command, environment: Environment, print: Print): void {
  const command = program
    .command('deny-request')
    .description('Refuse what was asked for.')
    .argument('<id>', 'the request')
    .requiredOption('--reason <text>', 'why, for the agent and for the record');
  withConnection(command).action(async (id: string, { reason, ...flags }: DecisionFlags) => {
    const { api } = await connect(flags, environment);
    print(describeRequest(await api.accessRequests.deny(id, { reason })));
  });
}

function status(text: string): AccessRequestStatus {
  const parsed = AccessRequestStatus.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`It must be one of ${AccessRequestStatus.options.join(', ')}.`);
}

function duration(text: string): number {
  const parsed = DurationText.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It must be a number and m, h or d, from 1m to 30d.');
}
