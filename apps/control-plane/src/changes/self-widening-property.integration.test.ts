import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let owner: string;
let runs = 0;

beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/operators', { name: 'olga', role: 'admin' });
  owner = (await own.call('POST', '/v1/operators/olga/tokens', {})).body.token;
});
afterAll(() => own.close());

const json = Buffer.from('{}');

/** Two agents of the owner's, one of somebody else's, a group, and two servers with tools in three states. */
async function aWorld() {
  const run = String((runs += 1));
  const agents = await Promise.all(
    ['olga', 'Olga', 'carl'].map(
      async (name, at) => (await own.call('POST', '/v1/agents', { slug: `a${at}-${run}`, owner: name })).body.slug as string,
    ),
  );
  const group = (await own.call('POST', '/v1/groups', { slug: `g-${run}` })).body.slug as string;
  const servers = await Promise.all(
    ['s', 't'].map(async (word) => {
      const slug = `${word}-${run}`;
      const { id } = await own.database.server.create({ data: { slug, name: slug, url: `https://${slug}.example.com/mcp`, tags: [`x${run}`] } });
      const rows = (['approved', 'pending', 'changed'] as const).map((state) => ({
        serverId: id,
        kind: 'tool' as const,
        name: state,
        state,
        json,
        hash: 'a'.repeat(64),
        ...(state === 'pending' ? {} : { approvedJson: json, approvedHash: 'a'.repeat(64) }),
      }));
      await own.database.definition.createMany({ data: rows });
      return slug;
    }),
  );
  return { run, agents, group, servers };
}
type World = Awaited<ReturnType<typeof aWorld>>;

const step = fc.record({
  byOwner: fc.boolean(),
  write: fc.constantFrom('grant', 'grant', 'names', 'end', 'delete', 'join', 'leave', 'agent', 'tags', 'server', 'approve', 'reject', 'give'),
  who: fc.nat(3),
  where: fc.nat(2),
  names: fc.constantFrom(['approved'], ['*'], ['pending', 'changed'], ['c*']),
  denies: fc.boolean(),
  on: fc.boolean(),
});
type Step = Parameters<Parameters<typeof step.map>[0]>[0];

async function take({ byOwner, write, who, where, names, denies, on }: Step, { run, agents, group, servers }: World): Promise<Answer | undefined> {
  const call = (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object) => own.call(method, url, body, byOwner ? owner : own.admin);
  const agent = agents[who % 3] ?? '';
  const server = servers[where % 2] ?? '';
  const subject = who === 3 ? { group } : { agent };
  const target = where === 2 ? { selector: { tags: { anyOf: [`x${run}`] } } } : { server };
  const grants = await own.database.grant.findMany({
    where: { OR: [{ agent: { slug: { in: agents } } }, { group: { slug: group } }] },
    orderBy: { id: 'asc' },
  });
  const grant = grants[(who * 3 + where) % Math.max(1, grants.length)]?.id;
  switch (write) {
    case 'grant':
      return call('POST', '/v1/grants', { ...subject, ...target, names, effect: denies ? 'deny' : 'allow' });
    case 'names':
      return grant === undefined ? undefined : call('PATCH', `/v1/grants/${grant}`, { names });
    case 'end':
      return grant === undefined ? undefined : call('PATCH', `/v1/grants/${grant}`, { expiresAt: on ? null : '2020-01-01T00:00:00Z' });
    case 'delete':
      return grant === undefined ? undefined : call('DELETE', `/v1/grants/${grant}`);
    case 'join':
      return call('PUT', `/v1/groups/${group}/members/${agent}`);
    case 'leave':
      return call('DELETE', `/v1/groups/${group}/members/${agent}`);
    case 'agent':
      return call('PATCH', `/v1/agents/${agent}`, { enabled: on });
    case 'tags':
      return call('PATCH', `/v1/servers/${server}`, { tags: on ? [`x${run}`] : [] });
    case 'server':
      return call('PATCH', `/v1/servers/${server}`, { enabled: on });
    case 'give':
      return call('PATCH', `/v1/agents/${agent}`, { owner: on ? 'somebody' : null });
    default:
      return call('POST', `/v1/servers/${server}/definitions/${write}`, { all: true });
  }
}

const accessOf = async (agent: string): Promise<string[]> =>
  (await own.call('GET', `/v1/agents/${agent}/access?limit=200`)).body.items.map(({ ref }: { ref: string }) => ref);

test(
  'no sequence of writes lets an owner add anything to what their agents may do, whatever others do in between',
  { timeout: 180_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 12 }), async (steps) => {
        const world = await aWorld();
        const owned = world.agents.slice(0, 2);
        for (const each of steps) {
          const before = each.byOwner ? await Promise.all(owned.map(accessOf)) : [];
          const answer = await take(each, world);
          expect(answer?.status ?? 200, answer?.text).toBeLessThan(500);
          if (!each.byOwner || answer === undefined || answer.status >= 400) continue;
          const after = await Promise.all(owned.map(accessOf));
          after.forEach((refs, at) => expect(refs.filter((ref) => !before[at]?.includes(ref))).toEqual([]));
        }
        // Whatever came before, all of everything is more.
        await own.call('PATCH', `/v1/agents/${owned[0] ?? ''}`, { enabled: true });
        expect((await own.call('POST', '/v1/grants', { agent: owned[0], selector: {}, names: ['*'] }, owner)).status).toBe(403);
      }),
      { numRuns: 8, endOnFailure: true },
    );
  },
);
