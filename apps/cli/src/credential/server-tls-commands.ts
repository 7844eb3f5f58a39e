import type { CertificateSummary, ServerTls } from '@portcullis/contracts/api/server-tls';
import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainText } from '../plain-text.js';
import { readInput } from '../policy/read-input.js';
import { withConnection } from '../with-connection.js';

interface SetFlags extends ConnectionOptions {
  ca?: string;
  cert?: string;
  key?: string;
  reason?: string;
}

/** Commands for the certificates with which servers are reached. */
export function addServerTlsCommands(program: Command, environment: Environment, print: (text: string) => void): void {
  const tls = program.command('tls').description('With which certificates a server is reached.');
  const show = tls.command('show').description('Show them, and when they end.').argument('<server>', 'by slug or id');
  withConnection(show).action(async (server: string, flags: ConnectionOptions) => {
    print(describeTls(await (await connect(flags, environment)).api.credentials.readTls(server)));
  });
  const set = tls
    .command('set')
    .description('Say with which certificates a server is reached, in the place of those before.')
    .argument('<server>', 'by slug or id')
    .option('--ca <file>', 'who vouches for the server, in the place of everybody the system trusts (PEM)')
    .option('--cert <file>', 'what is shown to the server, with its chain (PEM)')
    .option('--key <file>', 'the key to it, without a passphrase (PEM)')
    .option('--reason <text>', 'why, for the record');
  withConnection(set).action(async (server: string, { ca, cert, key, reason, ...flags }: SetFlags) => {
    if ((cert === undefined) !== (key === undefined)) throw new CliError('Give --cert and --key together.');
    const client = cert === undefined || key === undefined ? null : { certificate: await readInput(cert), key: await readInput(key) };
    const body = { ca: ca === undefined ? null : await readInput(ca), client, ...(reason !== undefined && { reason }) };
    print(describeTls((await (await connect(flags, environment)).api.credentials.replaceTls(server, body, { wait: 'all' })).value));
  });
  const remove = tls.command('delete').description('Reach a server as any other from now on.').argument('<server>', 'by slug or id');
  withConnection(remove).action(async (server: string, flags: ConnectionOptions) => {
    await (await connect(flags, environment)).api.credentials.deleteTls(server, { wait: 'all' });
    print(`${server} is reached as any other.`);
  });
}

function describeTls({ server, status, statusReason, authorities, client }: ServerTls): string {
  const line = (what: string) => (one: CertificateSummary) =>
    `  ${what} ${plainText(one.subject.replaceAll('\n', ', '), 500)}: until ${one.expiresAt}`;
  const state = statusReason === null ? status : `${status}; ${statusReason}`;
  return [`${server}: ${state}`, ...authorities.map(line('vouched for by')), ...client.map(line('called as'))].join('\n');
}
