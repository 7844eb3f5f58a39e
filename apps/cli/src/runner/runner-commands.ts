import type { Runner } from '@portcullis/contracts/api/runners';
import type { Command } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainText } from '../plain-text.js';
import { wholeNumber } from '../whole-number.js';
import { withConnection } from '../with-connection.js';

type Print = (text: string) => void;

/** Commands for the processes that host servers of stdio, and for what they host. */
export function addRunnerCommands(program: Command, environment: Environment, print: Print): void {
  const runner = program.command('runner').description('Processes that host servers of stdio.');
  withConnection(runner.command('list').description('List runners and what they host.')).action(async (flags: ConnectionOptions) => {
    const { api } = await connect(flags, environment);
    for await (const one of api.runners.list.each()) print(describeRunner(one));
  });
  const show = runner.command('show').description('Show one runner.').argument('<id>', 'the runner');
  withConnection(show).action(async (id: string, flags: ConnectionOptions) => {
    print(describeRunner(await (await connect(flags, environment)).api.runners.read(id)));
  });
  const remove = runner.command('remove').description('Shut a runner out; what it hosts moves.').argument('<id>', 'the runner');
  withConnection(remove).action(async (id: string, flags: ConnectionOptions) => {
    await (await connect(flags, environment)).api.runners.delete(id, { wait: 'all' });
    print(`${id} is removed.`);
  });
  const join = runner
    .command('join-token')
    .description('Make a token by which runners enrol.')
    .option('--expires-in <seconds>', 'how long it opens the door', wholeNumber(60, 604_800), 3600);
  withConnection(join).action(async ({ expiresIn, ...flags }: ConnectionOptions & { expiresIn: number }) => {
    const { token, expiresAt } = await (await connect(flags, environment)).api.runners.createJoinToken({ expiresInSeconds: expiresIn });
    print(`${token}\nIt opens the door until ${expiresAt}, and is not shown again.`);
  });
  addChildren(runner, environment, print);
  addMove(runner, environment, print);
}

function addChildren(runner: Command, environment: Environment, print: Print): void {
  const log = runner.command('log').description('Show what the program of a server last wrote to stderr.').argument('<server>', 'the server');
  withConnection(log).action(async (server: string, flags: ConnectionOptions) => {
    const { text } = await (await connect(flags, environment)).api.profiles.log(server);
    for (const line of text.split('\n')) print(plainText(line, 4000));
  });
  const restart = runner
    .command('restart')
    .description('Start the program of a server anew, also after it failed too often.')
    .argument('<server>', 'the server')
    .requiredOption('--reason <text>', 'why, for the record');
  withConnection(restart).action(async (server: string, { reason, ...flags }: ConnectionOptions & { reason: string }) => {
    await (await connect(flags, environment)).api.profiles.restart(server, { reason });
    print(`${server} is started anew.`);
  });
}

function addMove(runner: Command, environment: Environment, print: Print): void {
  const move = runner
    .command('move')
    .description('Have another runner host a server. What it wrote into a folder of its own stays where it is.')
    .argument('<server>', 'the server')
    .option('--to <runner>', 'which one, by name or id; unsaid, the one with the most room')
    .requiredOption('--reason <text>', 'why, for the record');
  withConnection(move).action(async (server: string, { to, reason, ...flags }: ConnectionOptions & { to?: string; reason: string }) => {
    await (await connect(flags, environment)).api.profiles.move(server, { ...(to !== undefined && { runner: to }), reason });
    print(`${server} moves.`);
  });
}

/** Names and errors are foreign words. */
function describeRunner({ id, name, address, live, servers, sandboxGaps }: Runner): string {
  const hosted = servers.map(({ server, state, instances, restarts, throttled, lastError }) => {
    const counts = `${String(instances)} running, ${String(restarts)} restarts${throttled ? ', slowed to its share of processor time' : ''}`;
    return `  ${server}: ${state}, ${counts}${lastError === null ? '' : `; ${plainText(lastError)}`}`;
  });
  const head = `${id}  ${plainText(name)}: ${live ? 'live' : 'does not answer'}, ${plainText(address ?? 'never reported')}`;
  return [head, ...hosted, ...sandboxGaps.map((gap) => `  ! ${plainText(gap, 500)}`)].join('\n');
}
