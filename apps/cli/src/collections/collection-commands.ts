import type { ApiClient } from '@portcullis/api-client';
import type { Command } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { withConnection } from '../with-connection.js';

/** Things of one kind that an operator makes, looks at and takes away again. */
export interface Collection<Item, Flags> {
  /** The command that has `list`, `add` and `remove` below it. */
  readonly name: string;
  readonly description: string;
  list(api: ApiClient): AsyncIterable<Item>;
  /** In one line. Names are foreign words. */
  describe(item: Item): string;
  /** The arguments and flags of `add`. */
  declare(command: Command): Command;
  /** `named` are the arguments. Gives what is to be told of it. */
  add(api: ApiClient, named: readonly string[], flags: Flags): Promise<string>;
  remove(api: ApiClient, id: string): Promise<unknown>;
}

/** `list`, `add` and `remove` of a collection. Gives its command, for what else can be done there. */
export function addCollection<Item, Flags>(
  program: Command,
  environment: Environment,
  print: (text: string) => void,
  collection: Collection<Item, Flags>,
): Command {
  const parent = program.command(collection.name).description(collection.description);
  withConnection(parent.command('list').description('List them all.')).action(async (flags: ConnectionOptions) => {
    const { api } = await connect(flags, environment);
    let found = 0;
    for await (const item of collection.list(api)) {
      print(collection.describe(item));
      found += 1;
    }
    if (found === 0) print('There is none.');
  });
  withConnection(collection.declare(parent.command('add'))).action(async (...args: unknown[]) => {
    const flags = args.at(-2) as Flags & ConnectionOptions;
    const { api } = await connect(flags, environment);
    print(await collection.add(api, args.slice(0, -2) as string[], flags));
  });
  const remove = parent.command('remove').description('Take one away.').argument('<id>', 'its id, as the list shows it');
  withConnection(remove).action(async (id: string, flags: ConnectionOptions) => {
    const { api } = await connect(flags, environment);
    await collection.remove(api, id);
    print(`Removed ${id}.`);
  });
  return parent;
}
