import { queryDatabase } from '@portcullis/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { send } from './raw-mcp.js';

const stack = demoStack();
const api = apiOf(stack);
const taken = freshSlug('taken');
const agent = freshSlug('agent');
const unknownId = '01a2028f-e6a6-71b0-8305-cbf8ce3ceda3';
let auditor: string;
let grant: string;

beforeAll(async () => {
  await api.servers.create({ slug: taken, url: 'http://127.0.0.1:64999/mcp' });
  await api.agents.create({ slug: agent });
  grant = (await api.grants.create({ agent, server: taken, names: ['x'] })).value.id;
  const operator = await api.operators.create({ name: freshSlug('auditor'), role: 'auditor' });
  auditor = (await api.operators.createToken(operator.id)).token;
});

interface Bad {
  readonly what: string;
  readonly to: string | (() => string);
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly status: number;
}

const wait = { slug: 'fine', url: 'http://127.0.0.1:64999/mcp' };
const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
const cases: Bad[] = [
  { what: 'a body that is no JSON', to: 'POST /v1/servers', raw: '{"slug":', status: 400 },
  { what: 'a body that is no UTF-8', to: 'POST /v1/servers', raw: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), status: 400 },
  { what: 'a body nested without end', to: 'POST /v1/servers', raw: deep, status: 400 },
  { what: 'a body that is a list', to: 'POST /v1/servers', body: [wait], status: 400 },
  { what: 'a body that is null', to: 'POST /v1/servers', raw: 'null', status: 400 },
  { what: 'no body', to: 'POST /v1/servers', status: 400 },
  {
    what: 'a body that poisons prototypes',
    to: 'POST /v1/servers',
    raw: '{"slug":"fine","url":"http://127.0.0.1:64999/mcp","__proto__":{"a":1}}',
    status: 400,
  },
  {
    what: 'another type of content',
    to: 'POST /v1/servers',
    raw: 'slug=fine',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 415,
  },
  { what: 'a body over the limit, before it is sent', to: 'POST /v1/servers', raw: '{', headers: { 'content-length': '3000000' }, status: 413 },
  { what: 'an unknown field', to: 'POST /v1/servers', body: { ...wait, colour: 'red' }, status: 400 },
  { what: 'a wrong type', to: 'POST /v1/servers', body: { ...wait, tags: 'scm' }, status: 400 },
  { what: 'a slug in capitals', to: 'POST /v1/servers', body: { ...wait, slug: 'Fine' }, status: 400 },
  { what: 'a slug that ends in a line break', to: 'POST /v1/servers', body: { ...wait, slug: 'fine\n' }, status: 400 },
  { what: 'the reserved slug', to: 'POST /v1/servers', body: { ...wait, slug: 'portcullis' }, status: 400 },
  { what: 'a slug that is taken', to: 'POST /v1/servers', body: { ...wait, slug: taken }, status: 409 },
  { what: 'an agent whose slug is taken', to: 'POST /v1/agents', body: { slug: agent }, status: 409 },
  { what: 'a URL that is none', to: 'POST /v1/servers', body: { ...wait, url: 'not a url' }, status: 400 },
  { what: 'a URL of another protocol', to: 'POST /v1/servers', body: { ...wait, url: 'file:///etc/passwd' }, status: 400 },
  { what: 'a NUL in a text', to: 'POST /v1/servers', body: { ...wait, name: 'a\u0000b' }, status: 400 },
  {
    what: 'half a surrogate pair in a text',
    to: 'POST /v1/servers',
    raw: '{"slug":"fine","url":"http://127.0.0.1:64999/mcp","name":"\\ud800"}',
    status: 400,
  },
  { what: 'an id that nothing has', to: `GET /v1/servers/${unknownId}`, status: 404 },
  { what: 'a slug that nothing has', to: 'GET /v1/agents/nobody-here', status: 404 },
  { what: 'a reference that can be none', to: 'GET /v1/servers/No%20Slug', status: 400 },
  { what: 'a path that cannot be decoded', to: 'GET /v1/servers/%E0%A4%A', status: 400 },
  { what: 'a path with a NUL', to: 'GET /v1/servers/%00', status: 400 },
  { what: 'a route there is not', to: 'GET /v1/nothing', status: 404 },
  { what: 'a method the route has not', to: 'PUT /v1/servers', body: wait, status: 405 },
  { what: 'a grant for an agent there is not', to: 'POST /v1/grants', body: { agent: 'nobody-here', server: taken, names: ['x'] }, status: 404 },
  { what: 'a grant for agent and group at once', to: 'POST /v1/grants', body: { agent, group: 'team', server: taken, names: ['x'] }, status: 400 },
  { what: 'a grant of no names', to: 'POST /v1/grants', body: { agent, server: taken, names: [] }, status: 400 },
  {
    what: 'a grant that ends before it begins',
    to: 'POST /v1/grants',
    body: { agent, server: taken, names: ['x'], notBefore: '2030-01-02T00:00:00Z', expiresAt: '2030-01-01T00:00:00Z' },
    status: 400,
  },
  {
    what: 'a grant with a time that is none',
    to: 'POST /v1/grants',
    body: { agent, server: taken, names: ['x'], expiresAt: 'tomorrow' },
    status: 400,
  },
  { what: 'a change of a field that cannot change', to: () => `PATCH /v1/grants/${grant}`, body: { effect: 'deny' }, status: 400 },
  { what: 'a key that has expired already', to: `POST /v1/agents/${agent}/keys`, body: { expiresAt: '2020-01-01T00:00:00Z' }, status: 400 },
  {
    what: 'an approval of something else',
    to: `POST /v1/servers/${taken}/definitions/approve`,
    body: { definitions: [{ id: unknownId }] },
    status: 404,
  },
  { what: 'a page that is too large', to: 'GET /v1/servers?limit=100000', status: 400 },
  { what: 'a page size that is no number', to: 'GET /v1/servers?limit=ten', status: 400 },
  { what: 'a cursor that was not given out', to: 'GET /v1/servers?cursor=AAAA', status: 400 },
  { what: 'an unknown parameter', to: 'GET /v1/servers?colour=red', status: 400 },
  { what: 'a parameter that came twice', to: 'GET /v1/servers?limit=1&limit=2', status: 400 },
  { what: 'a NUL in a search', to: 'GET /v1/audit/events?q=%00', status: 400 },
  { what: 'a leap second in a search', to: 'GET /v1/audit/events?from=2016-12-31T23:59:60Z', status: 400 },
  { what: 'a time that is none in a search', to: 'GET /v1/audit/events?from=yesterday', status: 400 },
  { what: 'a token that is none', to: 'GET /v1/servers', headers: { authorization: 'Bearer op_no_such' }, status: 401 },
  { what: 'the key of an agent', to: 'GET /v1/servers', headers: { authorization: `Bearer ${Object.values(stack.agents)[0]}` }, status: 401 },
  { what: 'credentials of another kind', to: 'GET /v1/servers', headers: { authorization: 'Basic YTpi' }, status: 401 },
];

/** Everything that operators edit, counted, and the revision. */
async function written(): Promise<unknown> {
  const tables = ['server', 'agent', 'agent_key', 'grant', 'agent_group', 'operator', 'revision'];
  const known = await queryDatabase<{ name: string }>(stack.databaseUrl, `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
  // When a key was last used is written behind calls.
  const others = /^audit|^agent_key_use$/;
  const chosen = known.map(({ name }) => name).filter((name) => tables.some((one) => name.includes(one)) && !others.test(name));
  // What the system changes by itself meanwhile, as discovery does, is not asked about.
  const byPeople = (name: string): string => (name === 'revision' ? " WHERE author NOT LIKE 'portcullis/%'" : '');
  const counts = chosen.map((name) => `SELECT '${name}' AS name, count(*)::int AS rows FROM "${name}"${byPeople(name)}`).join(' UNION ALL ');
  return queryDatabase(stack.databaseUrl, `${counts} ORDER BY 1`);
}

const ask = (bad: Omit<Bad, 'what' | 'status'>, token: string) => {
  const [method = '', path = ''] = (typeof bad.to === 'string' ? bad.to : bad.to()).split(' ');
  const body = bad.raw ?? (bad.body === undefined ? undefined : JSON.stringify(bad.body));
  const whatever: Record<string, string> = /^(PATCH|DELETE)/.test(method) ? { 'if-match': '*' } : {};
  const headers = {
    authorization: `Bearer ${token}`,
    ...whatever,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...bad.headers,
  };
  return send(stack.controlPlaneUrl + path, { method, headers, ...(body === undefined ? {} : { body }) });
};

describe('at REST', () => {
  test.each(cases)('$what is answered $status with a problem document, and writes nothing', async (bad) => {
    const before = await written();
    const answer = await ask(bad, stack.operatorToken);
    expect(`${answer.status} ${answer.body}`).toMatch(new RegExp(`^${bad.status} `));
    expect(answer.headers).toContainEqual(['content-type', expect.stringContaining('application/problem+json')]);
    expect(JSON.parse(answer.body)).toMatchObject({ type: expect.stringMatching(/^urn:portcullis:problem:/) as string, status: bad.status });
    // Nothing of the inside shows.
    expect(answer.body).not.toMatch(/prisma|postgres(?!.*slug)|node_modules|\bat \w+ \(/i);
    expect(await written()).toEqual(before);
  });

  test('a fault in a body is named by its place', async () => {
    const { body } = await ask(
      { to: 'POST /v1/servers', body: { ...wait, tags: ['ok', 'not ok!'], refreshIntervalSeconds: 'soon' } },
      stack.operatorToken,
    );
    const { errors } = JSON.parse(body) as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/refreshIntervalSeconds', '/tags/1']);
  });

  test.each([
    { to: 'POST /v1/servers', body: wait },
    { to: `PATCH /v1/servers/${taken}`, body: { enabled: false } },
    { to: `DELETE /v1/servers/${taken}` },
    { to: 'POST /v1/agents', body: { slug: 'fine' } },
    { to: `POST /v1/agents/${agent}/keys`, body: {} },
    { to: 'POST /v1/grants', body: { agent, server: taken, names: ['y'] } },
    { to: 'POST /v1/operators', body: { name: 'me', role: 'admin' } },
    { to: 'POST /v1/nodes/join-tokens', body: {} },
    { to: 'PATCH /v1/settings', body: { auditLists: false } },
  ])('an auditor is refused $to with 403, and writes nothing', async (bad) => {
    const before = await written();
    const answer = await ask(bad, auditor);
    expect(`${answer.status} ${answer.body}`).toMatch(/^403 /);
    expect(await written()).toEqual(before);
  });

  test('whoever sends megabytes too many reads why they are refused, and does not just lose the connection', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { status } = await ask({ to: 'POST /v1/servers', body: { ...wait, name: 'x'.repeat(5_000_000) } }, stack.operatorToken);
      expect(status).toBe(413);
    }
  });

  test('an auditor reads audit and inventory', async () => {
    for (const to of ['GET /v1/audit/events', 'GET /v1/servers', 'GET /v1/agents', 'GET /v1/grants', 'GET /v1/revisions', 'GET /v1/nodes'])
      expect(`${to} ${(await ask({ to }, auditor)).status}`).toBe(`${to} 200`);
  });

  test('of many that register the same slug at once, one succeeds and the others are told of the conflict', async () => {
    const slug = freshSlug('race');
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask({ to: 'POST /v1/servers', body: { ...wait, slug } }, stack.operatorToken)));
    expect(answers.map(({ status }) => status).sort((one, other) => one - other)).toEqual([201, ...Array<number>(7).fill(409)]);
  });
});
