import { getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { z } from 'zod';
import { STDIO_URL } from '../servers/stdio-url.js';
import { namesOf } from './from-json-lines.js';
import { requirePlain } from './from-lines.js';
import { RowRefused, SourceUnreadable, type Candidate, type Command, type SourceRow } from './source-row.js';

/** Where the dialects keep their servers: Claude and Cursor; VS Code; VS Code's own settings. */
const places: readonly (readonly string[])[] = [['mcpServers'], ['servers'], ['mcp', 'servers']];

/** The servers of a client's `mcp.json`, comments and trailing commas allowed. `inputs` and every value of a header stay out; what a program finds in its environment goes into a credential. */
export function* fromMcpJson(text: string): Generator<SourceRow> {
  const root = parseRelaxed(text);
  const found = places.map((place) => place.reduce<Node | undefined>(memberOf, root)).find((node) => node?.type === 'object');
  if (found === undefined) throw new SourceUnreadable('The document holds neither mcpServers nor servers.');
  let [line, counted] = [1, 0];
  for (const property of found.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key === undefined) continue;
    for (; counted < property.offset; counted += 1) if (text[counted] === '\n') line += 1;
    yield { line, read: () => toCandidate(String(key.value), value === undefined ? undefined : getNodeValue(value)) };
  }
}

function parseRelaxed(text: string): Node | undefined {
  const errors: ParseError[] = [];
  try {
    const root = parseTree(text, errors, { allowTrailingComma: true });
    const [error] = errors;
    if (error === undefined) return root;
    const line = text.slice(0, error.offset).split('\n').length;
    throw new SourceUnreadable(`The document is not valid JSON: line ${line}, ${printParseErrorCode(error.error)}.`);
  } catch (error) {
    if (error instanceof RangeError) throw new SourceUnreadable('The document is nested too deeply.');
    throw error;
  }
}

function memberOf(node: Node | undefined, name: string): Node | undefined {
  return node?.type === 'object' ? node.children?.find(({ children }) => children?.[0]?.value === name)?.children?.[1] : undefined;
}

function toCandidate(key: string, entry: unknown): Candidate {
  requirePlain([key, entry]);
  if (key === '' || key.length > 300) throw new RowRefused('invalid', 'The name of the entry is empty or longer than 300 characters.');
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw new RowRefused('invalid', 'The entry is not an object.', { key });
  const text = (name: string): string | undefined => {
    const value: unknown = Object.hasOwn(entry, name) ? Reflect.get(entry, name) : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const url = text('url') ?? text('serverUrl') ?? text('httpUrl');
  const type = text('type') ?? text('transport');
  const command = text('command');
  const about = { key, title: key, name: key, tags: [], environment: null, description: text('description') ?? null };
  if (type === 'stdio' || (url === undefined && command !== undefined))
    return { ...about, url: STDIO_URL, transport: 'stdio', command: commandOf(entry, command, text('cwd'), key), credentials: [] };
  if (url === undefined) throw new RowRefused('invalid', 'The entry has no address.', { pointer: '/url', key });
  const credentials = [...namesOf(Reflect.get(entry, 'headers')), ...namesOf(Reflect.get(entry, 'env'))];
  return { ...about, url, transport: type ?? 'streamable-http', credentials };
}

function commandOf(entry: object, command: string | undefined, cwd: string | undefined, key: string): Command {
  if (command === undefined) throw new RowRefused('invalid', 'The entry has no command.', { pointer: '/command', key });
  const args = z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .max(100)
    .safeParse(Reflect.get(entry, 'args') ?? []);
  if (!args.success) throw new RowRefused('invalid', 'The arguments are no list of at most 100 texts.', { pointer: '/args', key });
  const env = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).safeParse(Reflect.get(entry, 'env') ?? {});
  if (!env.success) throw new RowRefused('invalid', 'The variables are no texts by their names.', { pointer: '/env', key });
  const variables = Object.fromEntries(Object.entries(env.data).map(([name, value]) => [name, String(value)]));
  return { command, args: args.data.map(String), env: variables, cwd };
}

/** A program to start is no address; only a client's settings say how to start it. */
export const stdioNotSupported = (key: string): RowRefused =>
  new RowRefused(
    'stdio_not_supported',
    'The server is a program to be started (stdio). Such servers are taken from a client’s mcp.json, or registered singly.',
    {
      key,
      isSkipped: true,
    },
  );
