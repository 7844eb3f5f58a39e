import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AuditBlockRange, AuditVerification } from '@portcullis/contracts/api/audit-proof';
import type { Command } from 'commander';
import { CliError, messageOf } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainJson } from '../plain-text.js';
import type { RegistryTerminal } from '../registry-commands.js';
import { wholeNumber } from '../whole-number.js';
import { withConnection } from '../with-connection.js';
import { describeVerification } from './describe-verification.js';
import { proofFromApi, proofFromFile, trustedFrom, verifyHere } from './verify-here.js';

interface RangeFlags extends ConnectionOptions {
  fromBlock?: number;
  throughBlock?: number;
  from?: string;
  through?: string;
}
interface VerifyFlags extends RangeFlags {
  file?: string;
  keys?: string;
  anchor?: string;
  json?: boolean;
}

const EXIT = { verified: 0, failed: 1, unanchored: 3 } as const;

/** `portcullis audit verify`, `proof` and `keys`. */
export function addVerifyCommands(audit: Command, environment: Environment, terminal: RegistryTerminal): void {
  addVerify(audit, environment, terminal);
  const proof = audit
    .command('proof')
    .description('Write what it takes to verify the trail without the installation: rows, blocks, links and keys, as NDJSON.');
  withRange(withConnection(proof))
    .requiredOption('--out <file>', 'where to; the file must not exist')
    .action(async ({ out, ...flags }: RangeFlags & { out: string }) => {
      const { api } = await connect(flags, environment);
      const bytes = Readable.from(await api.audit.proof(rangeOf(flags)));
      await pipeline(bytes, createWriteStream(out, { flags: 'wx', mode: 0o600 })).catch((error: unknown) => {
        throw new CliError(`${out} was not written whole: ${messageOf(error)}`);
      });
    });
  withConnection(
    audit.command('keys').description('Print the public keys that blocks are signed with. Keep them where the installation cannot write.'),
  ).action(async (flags: ConnectionOptions) => {
    const { api } = await connect(flags, environment);
    terminal.print(JSON.stringify(await api.audit.keys(), null, 2));
  });
}

function addVerify(audit: Command, environment: Environment, terminal: RegistryTerminal): void {
  const command = audit
    .command('verify')
    .description('Say whether the trail is as it was recorded. Exit code 0: it is, 1: it is not, 3: it is, but nothing outside vouches for its end.')
    .option('--file <file>', 'a proof that was written before, instead of a control plane')
    .option('--keys <file>', 'public keys to believe, as "audit keys" printed them; then everything is verified here')
    .option('--anchor <file>', 'heads kept outside the database; then everything is verified here')
    .option('--json', 'the result as JSON');
  withRange(withConnection(command)).action(async (flags: VerifyFlags) => {
    const result = await verify(flags, environment, terminal);
    terminal.print(flags.json === true ? plainJson(result, 2) : describeVerification(result));
    terminal.exit(EXIT[result.verdict]);
  });
}

async function verify(flags: VerifyFlags, environment: Environment, { say }: RegistryTerminal): Promise<AuditVerification> {
  const { file, keys, anchor } = flags;
  if (file === undefined && keys === undefined && anchor === undefined) return verifyThere(flags, environment, say);
  const trusted = await trustedFrom({ keys, anchor });
  if (file !== undefined) return verifyHere(proofFromFile(file), trusted, true);
  const { api } = await connect(flags, environment);
  return verifyHere(proofFromApi(api, rangeOf(flags)), trusted);
}

async function verifyThere(flags: RangeFlags, environment: Environment, say: RegistryTerminal['say']): Promise<AuditVerification> {
  const { api } = await connect(flags, environment);
  for await (const line of api.audit.verify(rangeOf(flags))) {
    if (line.type === 'result') return line.result;
    say(`block ${line.block}, ${line.events} events`);
  }
  throw new CliError('The verification broke off before its end.');
}

const withRange = (command: Command): Command =>
  command
    .option('--from-block <n>', 'only from this block on', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--through-block <n>', 'only through this block', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--from <time>', 'only blocks sealed from then on (RFC 3339)')
    .option('--through <time>', 'only blocks sealed up to then (RFC 3339)');

const rangeOf = ({ fromBlock, throughBlock, from, through }: RangeFlags): AuditBlockRange => ({ fromBlock, throughBlock, from, through });
