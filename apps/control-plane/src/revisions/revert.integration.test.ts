import { afterAll, beforeAll, expect, test } from 'vitest';
import { actions, makeChanges, policyOf, revert as revertOf, revisionOf, world as worldOf, type World } from '../testing/revertible-world.js';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
/** Every change of it is taken back, so one is enough for all actions. */
let shared: World;
beforeAll(async () => {
  own = await startTestApp();
  shared = await world('all');
});
afterAll(() => own.close());

const policy = (): Promise<unknown> => policyOf(own);
const revert = (revision: number): Promise<Answer> => revertOf(own, revision);
const world = (run: string): Promise<World> => worldOf(own, run);

test.each(actions.map(([action, act], place) => [action, place, act] as const))(
  'reverting %s (%i) leaves policy as it was',
  async (action, _place, act) => {
    const before = await policy();
    const done = await act(shared);
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

test('what all actions did, one after the other, is undone from the last to the first', async () => {
  const before = await policy();
  const revisions = await makeChanges(shared, actions);
  expect(revisions.length).toBeGreaterThan(10);
  for (const revision of revisions.toReversed()) {
    const answer = await revert(revision);
    expect(answer.status, answer.text).toBe(200);
  }
  expect(await policy()).toEqual(before);
});

test('a dry run of a revert tells what it would change and for whom, refuses what it would refuse, and changes nothing', async () => {
  const w = await world('dry');
  const removed = await own.call('DELETE', `/v1/groups/${w.group}/members/${w.agent}`);
  const [before, revision] = [await policy(), revisionOf(removed)];
  const rehearse = (number: number, token = own.admin): Promise<Answer> =>
    own.call('POST', `/v1/revisions/${number}/revert?dryRun=true`, { reason: 'a look' }, token);
  const told = await rehearse(revision);
  expect([told.status, told.headers['x-policy-revision']], told.text).toEqual([200, String(revision)]);
  expect(told.body).toMatchObject({ revision, changed: 1, diffTotal: 1, preview: { gained: { count: 0 }, lost: { count: 1 } } });
  expect(told.body.preview.lost.items).toMatchObject([{ agent: w.agent, ref: 's-dry:read', before: 'allow', after: 'deny' }]);
  expect(await policy()).toEqual(before);
  const done = await revert(revision);
  expect([done.status, done.body.diff]).toEqual([200, told.body.diff]);
  expect([(await rehearse(revision)).status, (await rehearse(900_000)).status]).toEqual([409, 404]);
  expect((await rehearse(revision, own.auditor)).status).toBe(403);
});

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

test('what runs is not taken back, which would only serve what nobody has seen of it', async () => {
  const profile = { program: { kind: 'npm', name: '@modelcontextprotocol/server-filesystem', version: '2026.8.31' } };
  const { id: serverId } = (await own.call('POST', '/v1/servers', { slug: 'undone', transport: 'stdio', profile })).body;
  const { hash } = (await own.call('GET', '/v1/servers/undone/profiles/1')).body;
  const json = Buffer.from('{}');
  const tool = { serverId, kind: 'tool' as const, name: 'read', json, hash: 'h-read', approvedJson: json, approvedHash: 'h-read' };
  await own.database.definition.create({ data: { ...tool, state: 'approved' } });
  const approved = await own.call('POST', '/v1/servers/undone/profiles/1/approve', { hash, reason: 'looked through' });
  const refused = await revert(revisionOf(approved));
  expect([refused.status, refused.body.type], refused.text).toEqual([409, 'urn:portcullis:problem:not_revertible']);
  expect((await own.database.definition.findFirstOrThrow({ where: { serverId } })).state).toBe('removed');
});
