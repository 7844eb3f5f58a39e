import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

/** All of policy as Postgres has it, less what is noted down and decides nothing, and less keys. */
async function policy(): Promise<unknown> {
  const noted = "'{updated_at,next_discovery_at,era,era_seen_at,transport}'::text[]";
  const rows = (table: string, order: string): string =>
    `(SELECT coalesce(jsonb_agg(to_jsonb(t) - ${noted} ORDER BY ${order}), '[]') FROM ${table} t)`;
  const [found] = await own.database.$queryRawUnsafe<{ all: unknown }[]>(`SELECT jsonb_build_object('server', ${rows('server', 'id')},
    'definition', ${rows('definition', 'id')}, 'agent', ${rows('agent', 'id')}, 'group', ${rows('agent_group', 'id')},
    'member', ${rows('agent_group_member', 'group_id, agent_id')}, 'grant', ${rows('access_grant', 'id')}, 'requestable', ${rows('requestable_rule', 'id')},
    'settings', (SELECT settings FROM policy_state)) AS all`);
  return found?.all;
}

const revisionOf = ({ headers }: Answer): number => Number(headers['x-policy-revision']);
const revert = (revision: number): Promise<Answer> => own.call('POST', `/v1/revisions/${revision}/revert`, { reason: 'a mistake' });

async function newServer(slug: string, state: 'pending' | 'approved' = 'approved'): Promise<string> {
  const { body } = await own.call('POST', '/v1/servers', { slug, url: `https://${slug}.example.com/mcp`, tags: ['one'] });
  for (const name of ['read', 'write']) {
    const json = Buffer.from(JSON.stringify({ name, description: 'x'.repeat(200) }));
    const approved = state === 'approved' ? { approvedJson: json, approvedHash: `h-${name}` } : {};
    await own.database.definition.create({ data: { serverId: body.id, kind: 'tool', name, json, hash: `h-${name}`, state, ...approved } });
  }
  return body.id;
}

/** A small world in which every action has something to do; each run has names of its own. */
async function world(run: string) {
  const server = await newServer(`s-${run}`);
  const fresh = await newServer(`f-${run}`, 'pending');
  const [agent, other] = [`a-${run}`, `b-${run}`];
  for (const slug of [agent, other]) await own.call('POST', '/v1/agents', { slug });
  const group = `g-${run}`;
  await own.call('POST', '/v1/groups', { slug: group });
  await own.call('PUT', `/v1/groups/${group}/members/${agent}`);
  const grant = await own.call('POST', '/v1/grants', { agent, server: `s-${run}`, names: ['read'] });
  await own.call('POST', '/v1/grants', { group, server: `s-${run}`, names: ['*'], effect: 'deny', reason: 'no' });
  const rule = await own.call('POST', '/v1/requestable', { agent, server: `s-${run}`, names: ['wri*'], durationSecondsMax: 3600 });
  return { run, server, fresh, agent, other, group, grant: grant.body.id as string, rule: rule.body.id as string };
}

type World = Awaited<ReturnType<typeof world>>;

const actions: readonly (readonly [string, (w: World) => Promise<Answer>])[] = [
  ['agent.created', ({ run }) => own.call('POST', '/v1/agents', { slug: `new-${run}` })],
  ['agent.updated', ({ agent }) => own.call('PATCH', `/v1/agents/${agent}`, { enabled: false, owner: 'somebody', toolNameStyle: 'dot' })],
  ['agent.deleted', ({ agent }) => own.call('DELETE', `/v1/agents/${agent}`)],
  ['group.created', ({ run }) => own.call('POST', '/v1/groups', { slug: `ng-${run}` })],
  ['group.deleted', ({ group }) => own.call('DELETE', `/v1/groups/${group}`)],
  ['group-member.added', ({ group, other }) => own.call('PUT', `/v1/groups/${group}/members/${other}`)],
  ['group-member.removed', ({ group, agent }) => own.call('DELETE', `/v1/groups/${group}/members/${agent}`)],
  [
    'grant.created',
    ({ other, server }) => own.call('POST', '/v1/grants', { agent: other, server, names: ['write'], expiresAt: '2035-01-01T00:00:00Z' }),
  ],
  ['grant.updated', ({ grant }) => own.call('PATCH', `/v1/grants/${grant}`, { names: ['read', 'write'], reason: 'more' })],
  ['grant.deleted', ({ grant }) => own.call('DELETE', `/v1/grants/${grant}`)],
  ['server.created', ({ run }) => own.call('POST', '/v1/servers', { slug: `n-${run}`, url: 'https://new.example.com/mcp' })],
  ['server.updated', ({ server }) => own.call('PATCH', `/v1/servers/${server}`, { tags: ['two', 'three'], environment: 'prod', enabled: false })],
  ['server.updated', ({ server }) => own.call('PATCH', `/v1/servers/${server}`, { url: 'https://moved.example.com/mcp' })],
  ['server.deleted', ({ server }) => own.call('DELETE', `/v1/servers/${server}`)],
  ['requestable.created', ({ group, server }) => own.call('POST', '/v1/requestable', { group, server, names: ['write'], durationSecondsMax: 60 })],
  ['requestable.updated', ({ rule }) => own.call('PATCH', `/v1/requestable/${rule}`, { names: ['*'] })],
  ['requestable.deleted', ({ rule }) => own.call('DELETE', `/v1/requestable/${rule}`)],
  ['definitions.approved', ({ fresh }) => own.call('POST', `/v1/servers/${fresh}/definitions/approve`, { all: true })],
  ['definitions.rejected', ({ fresh }) => own.call('POST', `/v1/servers/${fresh}/definitions/reject`, { all: true })],
  ['settings.updated', () => own.call('PATCH', '/v1/settings', { auditLists: false, staleAfterSeconds: 60 + Math.floor(Math.random() * 1000) })],
];

test.each(actions.map(([action, act], place) => [action, place, act] as const))(
  'reverting %s (%i) leaves policy as it was',
  async (action, place, act) => {
    const w = await world(String(place));
    const before = await policy();
    const done = await act(w);
    expect(done.status).toBeLessThan(300);
    expect(await policy()).not.toEqual(before);
    const answer = await revert(revisionOf(done));
    expect([answer.status, answer.body], answer.text).toMatchObject([
      200,
      { action: 'policy.reverted', revertOf: revisionOf(done), reason: 'a mistake' },
    ]);
    expect(answer.body.diff.length).toBe(answer.body.diffTotal);
    expect(answer.body.diff.length).toBeGreaterThan(0);
    expect(await policy()).toEqual(before);
    // The way back has a way back.
    const again = await revert(revisionOf(answer));
    expect([again.status, again.body.revertOf], `${action} again: ${again.text}`).toEqual([200, revisionOf(answer)]);
    expect((await revert(revisionOf(again))).status).toBe(200);
    expect(await policy()).toEqual(before);
  },
);

test('every action that changes policy is walked above, or says why it has no way back', async () => {
  const kept = await own.database.revision.findMany({ select: { action: true }, distinct: ['action'] });
  const walked = new Set(actions.map(([action]) => action));
  expect(kept.map(({ action }) => action).filter((action) => !walked.has(action))).toEqual(['policy.reverted']);
});

test('any run of changes, reverted last to first, leaves policy as it was', async () => {
  let run = 100;
  const property = fc.asyncProperty(fc.array(fc.nat(actions.length - 1), { minLength: 1, maxLength: 6 }), async (places) => {
    const w = await world(String((run += 1)));
    const before = await policy();
    const revisions: number[] = [];
    for (const place of places) {
      const { revision: earlier } = await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } });
      const answer = await actions[place]![1](w);
      // Something that is gone cannot be changed, and what is so already makes no revision.
      if (answer.status < 300 && revisionOf(answer) > earlier) revisions.push(revisionOf(answer));
    }
    for (const revision of revisions.toReversed()) {
      const answer = await revert(revision);
      expect(answer.status, answer.text).toBe(200);
    }
    expect(await policy()).toEqual(before);
  });
  await fc.assert(property, { numRuns: 8 });
}, 60_000);

test('what later changes are in the way of is refused with each row named, and nothing is changed', async () => {
  const w = await world('later');
  const created = await own.call('POST', '/v1/grants', { agent: w.agent, server: w.server, names: ['write'] });
  const updated = await own.call('PATCH', `/v1/grants/${created.body.id}`, { names: ['read'] });
  const removed = await own.call('DELETE', `/v1/grants/${w.grant}`);
  const agent = await own.call('POST', '/v1/agents', { slug: 'leaning' });
  await own.call('PUT', `/v1/groups/${w.group}/members/leaning`);
  const before = await policy();
  const changed = await revert(revisionOf(created));
  expect([changed.status, changed.body.type]).toEqual([409, 'urn:portcullis:problem:conflict']);
  expect(changed.body.errors).toEqual([{ pointer: `/grant/${created.body.id}`, detail: `was changed (names) in revision ${revisionOf(updated)}` }]);
  const leaned = await revert(revisionOf(agent));
  expect([leaned.status, leaned.body.errors[0].detail]).toEqual([409, expect.stringContaining('has a row in agent_group_member since')]);
  expect(await policy()).toEqual(before);

  await own.call('DELETE', `/v1/servers/${w.server}`);
  const orphan = await revert(revisionOf(removed));
  expect([orphan.status, orphan.body.errors[0].detail]).toEqual([409, `cannot come back: its server ${w.server} is gone`]);
  const gone = await revert(revisionOf(updated));
  expect([gone.status, gone.body.errors[0].detail]).toEqual([409, expect.stringContaining('was deleted in revision')]);
});

test('a slug that was given away meanwhile stays where it is', async () => {
  const w = await world('slug');
  const deleted = await own.call('DELETE', `/v1/agents/${w.other}`);
  await own.call('POST', '/v1/agents', { slug: w.other });
  const answer = await revert(revisionOf(deleted));
  expect([answer.status, answer.body.errors[0].detail]).toEqual([409, `cannot come back: its slug ${w.other} is taken`]);
});

test('keys never come back: neither issued nor revoked ones, nor those of an agent that does', async () => {
  const w = await world('keys');
  const issued = await own.call('POST', `/v1/agents/${w.agent}/keys`, {});
  const refused = await revert(revisionOf(issued));
  expect([refused.status, refused.body.type]).toEqual([409, 'urn:portcullis:problem:not_revertible']);
  const revoked = await own.call('DELETE', `/v1/agents/${w.agent}/keys/${issued.body.id}`);
  expect((await revert(revisionOf(revoked))).status).toBe(409);
  await own.call('POST', `/v1/agents/${w.agent}/keys`, {});
  const deleted = await own.call('DELETE', `/v1/agents/${w.agent}`);
  const back = await revert(revisionOf(deleted));
  expect([back.status, back.body.change]).toMatchObject([200, { change: { keysNotRestored: 2 } }]);
  expect((await own.call('GET', `/v1/agents/${w.agent}/keys`)).body.items).toEqual([]);
  const hashes = await own.database.$queryRaw<{ kept: boolean }[]>`
    SELECT coalesce(before, after) ?| ARRAY['hash', 'pepper_id'] AS kept FROM policy_row_change WHERE entity = 'agent_key'`;
  expect(hashes.length).toBeGreaterThan(0);
  expect(hashes.some(({ kept }) => kept)).toBe(false);
});

test('a revision shows what it did with names, before and after', async () => {
  const w = await world('diff');
  const updated = await own.call('PATCH', `/v1/grants/${w.grant}`, { names: ['read', 'write'] });
  const read = await own.call('GET', `/v1/revisions/${revisionOf(updated)}`, undefined, own.auditor);
  expect(read.body).toMatchObject({ revertOf: null, diffTotal: 1 });
  expect(read.body.diff).toEqual([
    { kind: 'grant', id: w.grant, operation: 'updated', before: { names: ['read'] }, after: { names: ['read', 'write'] } },
  ]);
  const deleted = await own.call('DELETE', `/v1/agents/${w.agent}`);
  const { body } = await own.call('GET', `/v1/revisions/${revisionOf(deleted)}`);
  expect(body.diff.map(({ kind, operation }: { kind: string; operation: string }) => `${kind} ${operation}`)).toEqual([
    'agent deleted',
    'group member deleted',
    'grant deleted',
    'requestable deleted',
  ]);
  expect(body.diff[1].before).toEqual({ agent: w.agent, group: w.group });
  expect(body.diff[2].before).toMatchObject({ agent: w.agent, server: 's-diff', names: ['read', 'write'] });
});

test('a move of a server is reverted even after it was found at its new address, and waits to be found at the old one', async () => {
  const w = await world('moved');
  const moved = await own.call('PATCH', `/v1/servers/${w.server}`, { url: 'https://elsewhere.example.com/mcp' });
  await own.database.definition.updateMany({ where: { serverId: w.server, name: 'read' }, data: { state: 'approved' } });
  expect((await revert(revisionOf(moved))).status).toBe(200);
  const { body } = await own.call('GET', `/v1/servers/${w.server}`);
  expect(body).toMatchObject({ url: 'https://s-moved.example.com/mcp', definitions: { removed: 1, approved: 1 } });
});

test('only who may write policy reverts, and not without a reason', async () => {
  const w = await world('who');
  const done = await own.call('DELETE', `/v1/grants/${w.grant}`);
  const url = `/v1/revisions/${revisionOf(done)}/revert`;
  expect((await own.call('POST', url, { reason: 'x' }, own.auditor)).status).toBe(403);
  expect((await own.call('POST', url, {})).status).toBe(400);
  expect((await own.call('POST', '/v1/revisions/900000/revert', { reason: 'x' })).status).toBe(404);
});
