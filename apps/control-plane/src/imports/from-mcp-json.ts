import { getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { namesOf } from './from-json-lines.js';
import { requirePlain } from './from-lines.js';
import { RowRefused, SourceUnreadable, type Candidate, type SourceRow } from './source-row.js';

/** Where the dialects keep their servers: Claude and Cursor; VS Code; VS Code's own settings. */
const places: readonly (readonly string[])[] = [['mcpServers'], ['servers'], ['mcp', 'servers']];

/** The servers of a client's `mcp.json`, comments and trailing commas allowed. `inputs` and every value of a header or variable stay out. */
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
  if (type === 'stdio' || (url === undefined && text('command') !== undefined)) throw stdioNotSupported(key);
  if (url === undefined) throw new RowRefused('invalid', 'The entry has no address.', { pointer: '/url', key });
  return {
    key,
    title: key,
    name: key,
    url,
    transport: type ?? 'streamable-http',
    credentials: [...namesOf(Reflect.get(entry, 'headers')), ...namesOf(Reflect.get(entry, 'env'))],
    tags: [],
    environment: null,
    description: text('description') ?? null,
  };
}

/** A program to start is no address. */
export const stdioNotSupported = (key: string): RowRefused =>
  new RowRefused('stdio_not_supported', 'The server is a program to be started (stdio); only servers with an address can be registered.', {
    key,
    isSkipped: true,
  });
