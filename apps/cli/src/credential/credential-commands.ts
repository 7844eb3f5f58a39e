import { CredentialConfig, type Credential } from '@portcullis/contracts/api/credentials';
import { KeyPurposeName, type MasterKeyState } from '@portcullis/contracts/api/keys';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import { CliError } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type Connection, type ConnectionOptions } from '../connection.js';
import { readInput } from '../policy/read-input.js';
import { withConnection } from '../with-connection.js';
import { awaitBrowser, answerIn } from './await-browser.js';
import { addServerTlsCommands } from './server-tls-commands.js';

type Print = (text: string) => void;

interface SetFlags extends ConnectionOptions {
  agent?: string;
  header?: string;
  file: string;
  reason?: string;
}

/** Commands for what servers are called with. Secrets are read from files or standard input, never from the command line, which others can see. */
export function addCredentialCommands(program: Command, environment: Environment, print: Print): void {
  const credential = program.command('credential').description('What servers are called with.');
  addList(credential, environment, print);
  addSet(credential, environment, print);
  addConnect(credential, environment, print);
  addServerTlsCommands(credential, environment, print);
  addKeys(program, environment, print);
}

function addList(program: Command, environment: Environment, print: Print): void {
  const list = program.command('list').description('List credentials, and what is wrong with them.').option('--server <slug>', 'only of this server');
  withConnection(list).action(async ({ server, ...flags }: ConnectionOptions & { server?: string }) => {
    const { api } = await connect(flags, environment);
    for await (const one of api.credentials.list.each(server === undefined ? {} : { server })) print(describeCredential(one));
  });
  const remove = program.command('delete').description('Call a server with nothing from now on.').argument('<id>', 'the credential');
  withConnection(remove).action(async (id: string, flags: ConnectionOptions) => {
    await (await connect(flags, environment)).api.credentials.delete(id, { wait: 'all' });
    print(`${id} is deleted.`);
  });
}

function addSet(program: Command, environment: Environment, print: Print): void {
  const command = program
    .command('set')
    .description('Say what a server is called with, in the place of what it was called with before.')
    .argument('<server>', 'the server, by slug or id')
    .option('--agent <slug>', 'only for calls of this agent')
    .option('--header <name>', 'one header, whose value is what --file holds; otherwise it holds a credential as JSON')
    .option('--file <file>', 'where it is read from; - is standard input', '-')
    .option('--reason <text>', 'why, for the record');
  withConnection(command).action(async (server: string, { agent, header, file, reason, ...flags }: SetFlags) => {
    const { api } = await connect(flags, environment);
    const credential = configOf((await readInput(file)).trim(), header);
    const why = reason === undefined ? {} : { reason };
    const existing = await find({ api }, server, agent);
    const { value } =
      existing === undefined
        ? await api.credentials.create({ server, ...(agent !== undefined && { agent }), credential, ...why }, { wait: 'all' })
        : await api.credentials.replace(existing.id, { credential, ...why }, { wait: 'all' });
    print(describeCredential(value));
  });
}

function addConnect(program: Command, environment: Environment, print: Print): void {
  const begin = program
    .command('connect')
    .description('Make the connection of a credential: shows an address for your browser, and waits until it comes back.')
    .argument('<id>', 'the credential');
  withConnection(begin).action(async (id: string, flags: ConnectionOptions) => {
    const { api } = await connect(flags, environment);
    const answer = await awaitBrowser(async (redirectUri) => {
      const { authorizationUrl, expiresAt } = await api.credentials.connect(id, { redirectUri });
      print(`Open this in your browser, before ${expiresAt}:\n\n${authorizationUrl}\n`);
    });
    print(describeCredential(await api.credentials.finish(id, answerIn(answer))));
  });
  const finish = program
    .command('finish')
    .description('End a connection with the address that the browser came back to.')
    .argument('<id>', 'the credential')
    .argument('<address>', 'all of it');
  withConnection(finish).action(async (id: string, address: string, flags: ConnectionOptions) => {
    print(describeCredential(await (await connect(flags, environment)).api.credentials.finish(id, answerIn(address))));
  });
}

function addKeys(program: Command, environment: Environment, print: Print): void {
  const list = program.command('keys').description('List the generations of this installation’s keys.');
  withConnection(list).action(async (flags: ConnectionOptions) => {
    const { items, master } = await (await connect(flags, environment)).api.keys.list();
    print(`${'master'.padEnd(12)} ${describeMaster(master)}`);
    for (const { purpose, keys, waiting } of items)
      print(
        `${purpose.padEnd(12)} ${keys.map(({ keyId, createdAt }) => `${keyId} (${createdAt})`).join(', ')}${waiting > 0 ? `, ${waiting} to seal anew` : ''}`,
      );
  });
  const reseal = program
    .command('reseal-keys')
    .description('Seal all keys anew under the master key, when every control plane and discovery has it. Then the one before may go.');
  withConnection(reseal).action(async (flags: ConnectionOptions) => {
    print(describeMaster(await (await connect(flags, environment)).api.keys.reseal()));
  });
  const rotate = program
    .command('rotate-key')
    .description('Make a new key. What was made with the one before stays good.')
    .addArgument(new Argument('<purpose>', 'what it is for').choices(KeyPurposeName.options))
    .option('--end-older', 'of session keys: end what was made with older ones, for a node that fell into wrong hands');
  withConnection(rotate).action(async (purpose: KeyPurposeName, { endOlder = false, ...flags }: ConnectionOptions & { endOlder?: boolean }) => {
    const { keys, waiting } = await (await connect(flags, environment)).api.keys.rotate(purpose, { endOlder });
    print(`${keys[0]?.keyId ?? ''} is the ${purpose} key now.${waiting > 0 ? ` ${waiting} values are sealed anew within minutes.` : ''}`);
  });
}

const describeMaster = ({ keyId, waiting }: MasterKeyState): string =>
  `${keyId}${waiting > 0 ? `, ${waiting} keys not sealed under it yet` : ', everything is sealed under it'}`;

function configOf(text: string, header: string | undefined): CredentialConfig {
  const parsed = CredentialConfig.safeParse(header === undefined ? jsonOf(text) : { kind: 'headers', headers: [{ name: header, value: text }] });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError(`This is no credential: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('What is read has to be a credential as JSON, or the value of a --header.'); // a parser would quote it
  }
}

async function find({ api }: Pick<Connection, 'api'>, server: string, agent: string | undefined): Promise<Credential | undefined> {
  for await (const one of api.credentials.list.each({ server, ...(agent !== undefined && { agent }) }))
    if (agent !== undefined || one.agent === null) return one;
  return undefined;
}

function describeCredential({ id, server, agent, kind, status, statusReason, headers, variables, next }: Credential): string {
  const of = agent === null ? server : `${server} for ${agent}`;
  const names = [...headers, ...variables].join(', ');
  const detail = [kind, ...(names === '' ? [] : [names]), status, ...(statusReason === null ? [] : [statusReason])];
  return [`${id}  ${of}: ${detail.join('; ')}`, ...next.map((step) => `  ${step}`)].join('\n');
}
