import { ImportSource } from '@portcullis/contracts/api/imports';
import { SearchKind } from '@portcullis/contracts/api/search';
import { DefinitionState } from '@portcullis/contracts/api/servers';
import { type Command, Option } from 'commander';
import type { Environment } from './config.js';
import { connect, type ConnectionOptions } from './connection.js';
import { importServers, type ImportTerminal } from './import/import-servers.js';
import { searchRegistry } from './search/search-registry.js';
import { wholeNumber } from './whole-number.js';
import { withConnection } from './with-connection.js';

interface ImportFlags extends ConnectionOptions {
  source?: ImportSource;
  origin?: string;
  dryRun?: boolean;
}
interface SearchFlags extends ConnectionOptions {
  kind?: SearchKind;
  server?: string;
  state?: DefinitionState;
  limit: number;
}

/** What commands are given to say something with, and to end with. */
export interface RegistryTerminal extends ImportTerminal {
  readonly exit: (code: number) => void;
}

/** `portcullis import` and `portcullis search`. */
export function addRegistryCommands(program: Command, environment: Environment, terminal: RegistryTerminal): void {
  const bulk = program
    .command('import')
    .description('Register servers in bulk. Exit code 0: every row was taken, 1: some failed or it ended early, 2: it could not be done.')
    .argument('<from>', 'a file, - for standard input, or an address: of a registry, or with --source of a file')
    .addOption(new Option('--source <source>', 'what it is written in (default: by its name)').choices(ImportSource.options))
    .option('--origin <name>', 'whose rows they are: the same id of another origin is another server')
    .option('--dry-run', 'only say what would happen');
  withConnection(bulk).action(async (from: string, { source, origin, dryRun = false, ...flags }: ImportFlags) => {
    terminal.exit(await importServers({ from, source, origin, dryRun }, await connect(flags, environment), terminal));
  });
  const search = program
    .command('search')
    .description('Find servers and what they offer by words. Exit code 0: something matches, 1: nothing does.')
    .argument('<words...>', 'words of names, titles, tags or descriptions')
    .addOption(new Option('--kind <kind>', 'only these').choices(SearchKind.options))
    .option('--server <slug>', 'only of this server')
    .addOption(new Option('--state <state>', 'only definitions in this state').choices(DefinitionState.options))
    .option('--limit <n>', 'how many to show', wholeNumber(1, 200), 20);
  withConnection(search).action(async (words: string[], { kind, server, state, limit: most, ...flags }: SearchFlags) => {
    terminal.exit(await searchRegistry({ q: words.join(' '), kind, server, state, limit: most }, await connect(flags, environment), terminal.print));
  });
}
