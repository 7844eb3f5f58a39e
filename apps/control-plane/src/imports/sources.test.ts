import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromCsv } from './from-csv.js';
import { fromMcpJson } from './from-mcp-json.js';
import { fromRegistryDocument } from './from-registry.js';
import { inBatches } from './in-batches.js';
import { judgeCandidate } from './judge-candidate.js';
import { readLines } from './read-lines.js';
import { markedSlug, slugFrom } from './slug-for.js';
import { RowRefused, type Candidate, type SourceRow } from './source-row.js';

type Told = { readonly line: number } & (Partial<Candidate> | { readonly code: string; readonly pointer?: string });

async function tell(rows: AsyncIterable<SourceRow> | Iterable<SourceRow>): Promise<Told[]> {
  const told: Told[] = [];
  for await (const row of rows) {
    const { line } = row;
    try {
      told.push({ line, ...row.read() });
    } catch (error) {
      if (!(error instanceof RowRefused)) throw error;
      told.push({ line, code: error.code, ...(error.more.pointer === undefined ? {} : { pointer: error.more.pointer }) });
    }
  }
  return told;
}

const bytes = (text: string): AsyncIterable<Uint8Array> => Readable.from([Buffer.from(text)]);

describe('mcp.json', () => {
  test("is understood in Claude's, Cursor's and VS Code's words, with comments and trailing commas, and no secret is kept", async () => {
    const claude = '{"mcpServers":{"github":{"type":"http","url":"https://api.example.com/mcp","headers":{"Authorization":"Bearer s3cret"}}}}';
    const cursor = '{"mcpServers":{"linear":{"url":"https://linear.example.com/sse"},"files":{"command":"npx","env":{"KEY":"value"}}}}';
    const code = `{
      // the team's
      "inputs": [{ "type": "promptString", "id": "key", "password": true }],
      "servers": {
        "crm": { "type": "sse", "url": "https://crm.example.com/sse", "headers": { "X-Key": "\${input:key}" }, },
        /* local */ "db": { "type": "stdio", "command": "db" },
      },
    }`;
    expect(await tell(fromMcpJson(claude))).toMatchObject([
      { line: 1, key: 'github', transport: 'http', url: 'https://api.example.com/mcp', credentials: ['Authorization'] },
    ]);
    expect(await tell(fromMcpJson(cursor))).toMatchObject([{ key: 'linear', transport: 'streamable-http' }, { transport: 'stdio' }]);
    expect(await tell(fromMcpJson(code))).toMatchObject([
      { line: 5, key: 'crm', transport: 'sse', credentials: ['X-Key'] },
      { line: 6, transport: 'stdio', command: { command: 'db', args: [], env: {} } },
    ]);
    expect(JSON.stringify([await tell(fromMcpJson(claude)), await tell(fromMcpJson(cursor)), await tell(fromMcpJson(code))])).not.toContain('s3cret');
  });

  test.each([
    ['cut off', '{"mcpServers":{"a":', 'The document is not valid JSON: line 1'],
    ['another document', '{"tools":[]}', 'neither mcpServers nor servers'],
    ['a tower of brackets', '['.repeat(200_000), 'nested too deeply'],
  ])('that is none is refused without quoting it: %s', (_what, text, reason) => {
    expect(() => [...fromMcpJson(text)]).toThrow(reason);
  });

  test('entries that are no servers are refused one by one', async () => {
    expect(await tell(fromMcpJson('{"servers":{"a":1,"b":{},"__proto__":{"url":"https://x.example.com"},"c":{"url":"a\\u0000"}}}'))).toMatchObject([
      { code: 'invalid' },
      { code: 'invalid' },
      { key: '__proto__' },
      { code: 'malformed' },
    ]);
  });
});

describe("a registry's document", () => {
  const server = (name: string, more: object = {}) => ({ name, description: 'd', version: '1.0.0', ...more });
  const remote = {
    type: 'streamable-http',
    url: 'https://weather.example.com/mcp',
    headers: [{ name: 'X-Api-Key', isSecret: true, value: 's3cret' }],
  };
  const official = (about: object) => ({ 'io.modelcontextprotocol.registry/official': about });

  test('is a list, or one server.json', async () => {
    const list = {
      servers: [
        {
          server: server('io.github.someone/weather', { title: 'Weather', remotes: [{ type: 'sse', url: 'https://old.example.com' }, remote] }),
          _meta: official({ isLatest: true }),
        },
        { server: server('io.github.someone/weather', { remotes: [remote] }), _meta: official({ isLatest: false }) },
        { server: server('io.github.someone/gone', { remotes: [remote] }), _meta: official({ status: 'deleted' }) },
        { server: server('io.github.someone/local', { packages: [{}] }) },
        { server: { name: 7 } },
      ],
      metadata: { count: 5 },
    };
    expect(await tell(fromRegistryDocument(JSON.stringify(list)))).toMatchObject([
      { key: 'io.github.someone/weather', title: 'weather', name: 'Weather', url: remote.url, credentials: ['X-Api-Key'] },
      { code: 'superseded' },
      { code: 'withdrawn' },
      { code: 'stdio_not_supported' },
      { code: 'invalid', pointer: '/server/name' },
    ]);
    expect(await tell(fromRegistryDocument(JSON.stringify(server('a/b', { remotes: [remote] }))))).toMatchObject([{ key: 'a/b' }]);
  });
});

describe('CSV', () => {
  test('has a header row, quotes, lists and rows that are broken alone', async () => {
    const text = [
      '\uFEFFid,URL,tags,description,headers',
      '1,https://a.example.com/mcp,sales;emea,"says ""hi"",',
      'twice",Authorization: Bearer s3cret;X-Key',
      '2,https://b.example.com/mcp',
      '3,https://c.example.com/mcp,,,',
      '',
      '4,https://d.example.com/mcp,no tag!,,',
      '5,https://e.example.com/mcp,"sales, emea apac",,',
    ].join('\r\n');
    const told = await tell(fromCsv(bytes(text)));
    // A broken row is told at once; those before it may still wait to be taken.
    expect(told.toSorted((a, b) => a.line - b.line)).toMatchObject([
      { key: '1', tags: ['sales', 'emea'], description: 'says "hi",\r\ntwice', credentials: ['Authorization', 'X-Key'] },
      { code: 'malformed' },
      { key: '3', tags: [], description: null },
      { code: 'invalid', pointer: '/tags/1' },
      { key: '5', tags: ['sales', 'emea', 'apac'] },
    ]);
    expect(JSON.stringify(told)).not.toContain('s3cret');
  });

  test.each([
    ['a,b\n1,2', 'Column 1 of the header row (a) is unknown'],
    ['id,slug\n1,2', 'no column url'],
    ['url,url\n1,2', 'a column twice'],
  ])('without a usable header is refused: %j', async (text, reason) => {
    await expect(tell(fromCsv(bytes(text)))).rejects.toThrow(reason);
  });

  test('with a quote that never ends is refused in memory of one row', async () => {
    const endless = Readable.from(
      (function* () {
        yield Buffer.from('id,url\n1,https://a.example.com\n2,"');
        for (let at = 0; at < 64; at += 1) yield Buffer.alloc(65_536, 'x');
      })(),
    );
    const told = await tell(fromCsv(endless));
    expect(told.filter((row) => 'key' in row)).toMatchObject([{ key: '1' }]);
    expect(new Set(told.flatMap((row) => ('code' in row ? [row.code] : [])))).toEqual(new Set(['malformed']));
  });
});

test('lines are the same however the bytes are cut', async () => {
  const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) =>
    text
      .toWellFormed()
      .replaceAll(/[\r\n\uFEFF]/g, ' ')
      .trim(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 7 }), async (wanted, size) => {
      const whole = Buffer.from(wanted.join('\n'));
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size));
      const read: [number, string | undefined][] = [];
      for await (const { line: number, text } of readLines(Readable.from(pieces), 1000)) read.push([number, text]);
      expect(read).toEqual(wanted.flatMap((text, at) => (text === '' ? [] : [[at + 1, text]])));
    }),
    { numRuns: 50 },
  );
});

test('a slug is a slug whatever it is made from, and marking it makes another', () => {
  const slug = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.string(), (title, key) => {
      const first = slugFrom(title);
      expect(first).toMatch(slug);
      expect(markedSlug(first, 'registry/x', key)).toMatch(slug);
      expect(markedSlug(first, 'registry/x', key)).not.toBe(first);
    }),
  );
  expect([slugFrom('Portcullis'), slugFrom('Ünï Tool_2'), slugFrom('!!')]).toEqual(['server', 'u-ni-tool-2', 'server']);
});

test('an address with a secret, a placeholder or a forbidden port is refused, and a plain one is not', () => {
  const judge = (url: string): string => {
    try {
      judgeCandidate({ key: 'k', title: 'k', url, transport: 'http', credentials: [], tags: [], environment: null, description: null });
      return 'taken';
    } catch (error) {
      return error instanceof RowRefused ? error.code : String(error);
    }
  };
  expect(judge('https://mcp.example.com/mcp?workspace=acme&monkey=1&keyboard=de')).toBe('taken');
  for (const query of ['key=1', 'apiKey=1', 'access_token=1', 'x-api-key=1', 'sig=1', 'q=ghp_abcdefghijklmnopqrst'])
    expect(judge(`https://mcp.example.com/mcp?${query}`), query).toBe('secret_in_url');
  expect(judge('https://mcp.example.com/s/sk-abcdefghijklmnop/mcp')).toBe('secret_in_url');
  expect(judge('https://u:p@mcp.example.com/')).toBe('secret_in_url');
  expect(judge('https://mcp.example.com/#x')).toBe('invalid_url');
  expect(judge('https://{tenant}.example.com/')).toBe('placeholder_in_url');
  expect(judge('https://mcp.example.com:5432/')).toBe('url_not_allowed');
});

test('of a key that stands anywhere in an address, however escaped, or as a value nothing is told or kept', async () => {
  const key = fc.constantFrom('ghp_', 'sk-', 'AKIA', 'glpat-', 'xoxb-').map((start) => `${start}q7Zk2Xw9Tb4Ln8Rv1H`);
  const escaped = fc.tuple(key, fc.array(fc.boolean(), { minLength: 22, maxLength: 22 })).map(([secret, odd]) => ({
    secret,
    text: Array.from(secret, (one, at) => (odd[at] === true ? `%${one.charCodeAt(0).toString(16)}` : one)).join(''),
  }));
  const place = fc.constantFrom('/KEY/mcp', '/mcp/KEY', '/mcp;k=KEY', '/mcp?q=KEY', '/mcp?KEY', '/mcp?a=1&KEY=', '/mcp?q=a#KEY');
  const judged = async (rows: AsyncIterable<SourceRow> | Iterable<SourceRow>): Promise<unknown[]> => {
    const told: unknown[] = [];
    for await (const row of rows) {
      try {
        told.push(judgeCandidate(row.read()));
      } catch (error) {
        if (!(error instanceof RowRefused)) throw error;
        told.push([error.message, error.detail, error.more]);
      }
    }
    return told;
  };
  await fc.assert(
    fc.asyncProperty(escaped, place, async ({ secret, text }, where) => {
      const [url, plain] = [`https://mcp.example.com${where.replace('KEY', text)}`, 'https://mcp.example.com/mcp'];
      const mcp = { mcpServers: { a: { url }, b: { url: plain, headers: { 'X-Key': text } }, c: { command: '/bin/a', args: ['--k', secret] } } };
      const all = [
        await judged(fromMcpJson(JSON.stringify(mcp))),
        await judged(fromCsv(bytes(`id,url,headers\n1,"${url}",\n2,${plain},X: ${text}\n`))),
      ];
      expect(all.map(({ length }) => length)).toEqual([3, 2]);
      for (const kept of [text, secret]) expect(JSON.stringify(all)).not.toContain(kept);
    }),
  );
});

test('items come in groups, late ones in time, and an error after those before it', async () => {
  async function* source() {
    for (let at = 1; at <= 5; at += 1) yield at;
    await new Promise((resolve) => setTimeout(resolve, 30));
    yield 6;
    throw new Error('the end');
  }
  const groups: number[][] = [];
  const reading = async () => {
    for await (const group of inBatches(source(), 2, 10)) groups.push(group);
  };
  await expect(reading()).rejects.toThrow('the end');
  expect(groups.flat()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(groups.every(({ length }) => length <= 2)).toBe(true);
});
