import { CAPTURE_BYTES_MAX, CaptureMode } from '@portcullis/contracts/capture';
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type Connection, type ConnectionOptions } from '../connection.js';
import { changeServer, placeOf, pointers, withTarget } from '../server-target.js';
import { wholeNumber } from '../whole-number.js';
import { withConnection } from '../with-connection.js';
import { changeCapture, clearCapture, type CaptureChange } from './change-capture.js';
import { describeServer, describeUsual } from './describe-capture.js';

interface SetFlags extends ConnectionOptions {
  arguments?: CaptureMode;
  results?: CaptureMode;
  argumentBytes?: number;
  resultBytes?: number;
  redactArguments?: string[];
  redactResults?: string[];
  reason: string;
}

type Print = (text: string) => void;
type Api = Connection['api'];

/** `portcullis capture`: what the audit trail keeps of calls. */
export function addCaptureCommands(program: Command, environment: Environment, print: Print): void {
  const capture = program
    .command('capture')
    .description('What the audit trail keeps of arguments and results: all, all but secrets, a digest, or nothing.');
  const show = capture
    .command('show')
    .description('Tell what is kept of every call, or at one server.')
    .argument('[server]', 'the server, by slug or id');
  withConnection(show).action(async (server: string | undefined, flags: ConnectionOptions) => {
    print(await told((await connect(flags, environment)).api, server));
  });
  const set = capture.command('set').description('Keep something else from now on: of every call, at a server, or of some of what it offers.');
  withConnection(withRules(withTarget(set, '[target]'))).action(async (target: string | undefined, flags: SetFlags) => {
    const { api } = await connect(flags, environment);
    const change = changeOf(flags);
    if (target === undefined) await setUsual(api, change, flags.reason);
    else await setAt(api, target, flags.reason, (before, names) => changeCapture(before, names, change));
    print(await told(api, target === undefined ? undefined : placeOf(target).server));
  });
  const clear = capture.command('clear').description('Keep again what is usual: at a server, or of some of what it offers.');
  withConnection(withTarget(clear, '<target>').requiredOption('--reason <text>', 'why, for the record')).action(
    async (target: string, flags: ConnectionOptions & { reason: string }) => {
      const { api } = await connect(flags, environment);
      await setAt(api, target, flags.reason, clearCapture);
      print(await told(api, placeOf(target).server));
    },
  );
}

function withRules(command: Command): Command {
  const bytes = wholeNumber(0, CAPTURE_BYTES_MAX);
  return command
    .addOption(new Option('--arguments <mode>', 'what is kept of arguments').choices(CaptureMode.options))
    .addOption(new Option('--results <mode>', 'what is kept of results').choices(CaptureMode.options))
    .option('--argument-bytes <n>', 'so many bytes of arguments at most', bytes)
    .option('--result-bytes <n>', 'so many bytes of a result at most', bytes)
    .option('--redact-arguments <pointers...>', 'replace these places in arguments too, such as /customer/ssn or /rows/*/ssn', pointers)
    .option('--redact-results <pointers...>', 'replace these places in results too', pointers)
    .requiredOption('--reason <text>', 'why, for the record');
}

function changeOf(flags: SetFlags): CaptureChange {
  const rule = (mode: CaptureMode | undefined, bytesMax: number | undefined, paths: string[] | undefined): CaptureChange['results'] => {
    const said = { ...(mode && { mode }), ...(bytesMax !== undefined && { bytesMax }), ...(paths && { paths }) };
    return Object.keys(said).length === 0 ? undefined : said;
  };
  const change = {
    arguments: rule(flags.arguments, flags.argumentBytes, flags.redactArguments),
    results: rule(flags.results, flags.resultBytes, flags.redactResults),
  };
  if (change.arguments === undefined && change.results === undefined) throw new CliError('Say what to keep: --help tells how.');
  return change;
}

async function setUsual(api: Api, { arguments: args, results }: CaptureChange, reason: string): Promise<void> {
  const { bytesMax, ...rule } = args ?? {};
  const auditCapture = { ...(Object.keys(rule).length > 0 && { arguments: rule }), ...(results && { results }) };
  await api.settings.update({ ...(bytesMax !== undefined && { auditArgumentBytesMax: bytesMax }), auditCapture, reason });
}

async function setAt(
  api: Api,
  target: string,
  reason: string,
  changed: (before: Parameters<typeof clearCapture>[0], names: string | undefined) => ReturnType<typeof clearCapture>,
): Promise<void> {
  const { server, names } = placeOf(target);
  await changeServer(api, server, ({ auditCapture }) => ({ auditCapture: changed(auditCapture, names), reason }));
}

async function told(api: Api, server: string | undefined): Promise<string> {
  const usual = describeUsual(await api.settings.read());
  if (server === undefined) return usual.join('\n');
  const { slug, auditCapture } = await api.servers.read(server);
  return [...usual, ...describeServer(slug, auditCapture)].join('\n');
}
