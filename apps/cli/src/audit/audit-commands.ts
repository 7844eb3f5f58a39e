import type { AuditRecord } from '@portcullis/contracts/api/operations';
import { type Command, Option } from 'commander';
import { messageOf } from '../cli-error.js';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainJson } from '../plain-text.js';
import type { RegistryTerminal } from '../registry-commands.js';
import { wholeNumber } from '../whole-number.js';
import { addVerifyCommands } from '../verify/verify-commands.js';
import { withConnection } from '../with-connection.js';
import { callId } from './call-id.js';
import { describeCall, describeStory } from './describe-call.js';
import { exportAudit } from './export-audit.js';
import { filterOf, withFilters, withTimes, type FilterFlags } from './filter-flags.js';
import { addReplay } from './replay-command.js';

interface JsonFlags extends ConnectionOptions {
  json?: boolean;
}
interface SearchFlags extends JsonFlags, FilterFlags {
  limit: number;
}
interface ExportFlags extends ConnectionOptions, FilterFlags {
  format: 'ndjson' | 'csv';
  out?: string;
  after?: string;
  resume?: boolean;
}

/** `portcullis audit …`: the trail from a terminal. */
export function addAuditCommands(program: Command, environment: Environment, terminal: RegistryTerminal): void {
  const audit = program.command('audit').description('Ask the audit trail what was called, by whom, and how it ended.');
  addSearch(audit, environment, terminal);
  addShow(audit, environment, terminal);
  addExport(audit, environment, terminal);
  addTail(audit, environment, terminal);
  addReplay(audit, environment, terminal);
  addVerifyCommands(audit, environment, terminal);
}

function addSearch(audit: Command, environment: Environment, { print, exit }: RegistryTerminal): void {
  const command = audit
    .command('search')
    .description('Find calls, newest first. Exit code 0: some match, 1: none does.')
    .argument('[words...]', 'a text in names, reasons, arguments or results')
    .option('--limit <n>', 'how many to show', wholeNumber(1, 100_000), 50)
    .option('--json', 'a line of JSON for each');
  withConnection(withTimes(withFilters(command))).action(async (words: string[], { limit: most, json, ...flags }: SearchFlags) => {
    const { api } = await connect(flags, environment);
    let found = 0;
    for await (const call of api.audit.events.each({ ...filterOf(flags, words), limit: Math.min(most, 200) })) {
      print(lineOf(call, json));
      found += 1;
      if (found >= most) break;
    }
    if (found === 0 && json !== true) print('No call matches.');
    exit(found === 0 ? 1 : 0);
  });
}

function addShow(audit: Command, environment: Environment, { print }: RegistryTerminal): void {
  const command = audit
    .command('show')
    .description('Tell all that is on record about one call: its rows, times, arguments, result, grant and definition.')
    .argument('<callId>', 'the call', callId)
    .option('--json', 'as JSON');
  withConnection(command).action(async (id: string, { json, ...flags }: JsonFlags) => {
    const { api } = await connect(flags, environment);
    const story = await api.audit.call(id);
    print(json === true ? plainJson(story, 2) : describeStory(story));
  });
}

function addExport(audit: Command, environment: Environment, { say }: RegistryTerminal): void {
  const command = audit
    .command('export')
    .description('Write every call that matches, newest first, to standard output or a file. What breaks off is taken up again.')
    .argument('[words...]', 'a text in names, reasons, arguments or results')
    .addOption(new Option('--format <format>', 'how it is written').choices(['ndjson', 'csv']).default('ndjson'))
    .option('--out <file>', 'where to; the file must not exist')
    .option('--resume', 'go on behind the last whole call in the file')
    .addOption(new Option('--after <callId>', 'go on behind this call').argParser(callId).conflicts('resume'));
  withConnection(withTimes(withFilters(command))).action(async (words: string[], { format, out, resume, after, ...flags }: ExportFlags) => {
    const { api } = await connect(flags, environment);
    const query = { ...filterOf(flags, words), format, ...(after === undefined ? {} : { after }) };
    await exportAudit({ query, out, resume: resume === true }, api, say);
  });
}

function addTail(audit: Command, environment: Environment, { print, say }: RegistryTerminal): void {
  const command = audit
    .command('tail')
    .description('Show calls as they are recorded, and again when they have ended, until Ctrl-C.')
    .argument('[words...]', 'a text in names, reasons, arguments or results')
    .option('--json', 'a line of JSON for each');
  withConnection(withFilters(command)).action(async (words: string[], { json, ...flags }: JsonFlags & FilterFlags) => {
    const { api } = await connect(flags, environment);
    const onReconnect = (error: unknown): void => void (error === undefined || say(`The connection ended (${messageOf(error)}); trying again.`));
    for await (const call of api.audit.tail(filterOf(flags, words), { onReconnect })) print(lineOf(call, json));
  });
}

const lineOf = (call: AuditRecord, json: boolean | undefined): string => (json === true ? plainJson(call) : describeCall(call));
