import { registerWithTools } from './register-with-tools.js';
import type { Answer, TestApp } from './start-test-app.js';

/** All of policy as Postgres has it, less what is noted down and decides nothing, and less keys. */
export async function policyOf(own: TestApp): Promise<unknown> {
  const noted = "'{updated_at,next_discovery_at,era,era_seen_at,transport}'::text[]";
  const rows = (table: string, order: string): string =>
    `(SELECT coalesce(jsonb_agg(to_jsonb(t) - ${noted} ORDER BY ${order}), '[]') FROM ${table} t)`;
  const [found] = await own.database.$queryRawUnsafe<{ all: unknown }[]>(`SELECT jsonb_build_object('server', ${rows('server', 'id')},
    'definition', ${rows('definition', 'id')}, 'agent', ${rows('agent', 'id')}, 'group', ${rows('agent_group', 'id')},
    'member', ${rows('agent_group_member', 'group_id, agent_id')}, 'grant', ${rows('access_grant', 'id')}, 'requestable', ${rows('requestable_rule', 'id')}, 'limit', ${rows('call_limit', 'id')},
    'settings', (SELECT settings FROM policy_state)) AS all`);
  return found?.all;
}

export const revisionOf = ({ headers }: Answer): number => Number(headers['x-policy-revision']);
export const revert = (own: TestApp, revision: number): Promise<Answer> =>
  own.call('POST', `/v1/revisions/${revision}/revert`, { reason: 'a mistake' });

const newServer = (own: TestApp, slug: string, tools: 'pending' | 'approved' = 'approved'): Promise<string> =>
  registerWithTools(own, slug, { tags: ['one'], [tools]: ['read', 'write'], description: 'x'.repeat(200) });

/** A small world in which every action has something to do; each run has names of its own. */
export async function world(own: TestApp, run: string) {
  const server = await newServer(own, `s-${run}`);
  const fresh = await newServer(own, `f-${run}`, 'pending');
  const [agent, other] = [`a-${run}`, `b-${run}`];
  for (const slug of [agent, other]) await own.call('POST', '/v1/agents', { slug });
  const group = `g-${run}`;
  await own.call('POST', '/v1/groups', { slug: group });
  await own.call('PUT', `/v1/groups/${group}/members/${agent}`);
  const grant = await own.call('POST', '/v1/grants', { agent, server: `s-${run}`, names: ['read'] });
  await own.call('POST', '/v1/grants', { group, server: `s-${run}`, names: ['*'], effect: 'deny', reason: 'no' });
  const rule = await own.call('POST', '/v1/requestable', { agent, server: `s-${run}`, names: ['wri*'], durationSecondsMax: 3600 });
  const limit = await own.call('POST', '/v1/limits', { group, terms: { kind: 'quota', calls: 10, per: 'day' } });
  const ids = { grant: grant.body.id as string, rule: rule.body.id as string, limit: limit.body.id as string };
  return { own, run, server, fresh, agent, other, group, ...ids };
}

export type World = Awaited<ReturnType<typeof world>>;

/** Every action that changes policy and can be undone. */
export const actions: readonly (readonly [string, (w: World) => Promise<Answer>])[] = [
  ['agent.created', ({ own, run }) => own.call('POST', '/v1/agents', { slug: `new-${run}` })],
  ['agent.updated', ({ own, agent }) => own.call('PATCH', `/v1/agents/${agent}`, { enabled: false, owner: 'somebody', toolNameStyle: 'dot' })],
  ['agent.deleted', ({ own, agent }) => own.call('DELETE', `/v1/agents/${agent}`)],
  ['group.created', ({ own, run }) => own.call('POST', '/v1/groups', { slug: `ng-${run}` })],
  ['group.deleted', ({ own, group }) => own.call('DELETE', `/v1/groups/${group}`)],
  ['group-member.added', ({ own, group, other }) => own.call('PUT', `/v1/groups/${group}/members/${other}`)],
  ['group-member.removed', ({ own, group, agent }) => own.call('DELETE', `/v1/groups/${group}/members/${agent}`)],
  [
    'grant.created',
    ({ own, other, server }) => own.call('POST', '/v1/grants', { agent: other, server, names: ['write'], expiresAt: '2035-01-01T00:00:00Z' }),
  ],
  ['grant.updated', ({ own, grant }) => own.call('PATCH', `/v1/grants/${grant}`, { names: ['read', 'write'], reason: 'more' })],
  ['grant.deleted', ({ own, grant }) => own.call('DELETE', `/v1/grants/${grant}`)],
  ['server.created', ({ own, run }) => own.call('POST', '/v1/servers', { slug: `n-${run}`, url: 'https://new.example.com/mcp' })],
  [
    'server.updated',
    ({ own, server }) => own.call('PATCH', `/v1/servers/${server}`, { tags: ['two', 'three'], environment: 'prod', enabled: false }),
  ],
  ['server.updated', ({ own, server }) => own.call('PATCH', `/v1/servers/${server}`, { url: 'https://moved.example.com/mcp' })],
  ['server.deleted', ({ own, server }) => own.call('DELETE', `/v1/servers/${server}`)],
  [
    'requestable.created',
    ({ own, group, server }) => own.call('POST', '/v1/requestable', { group, server, names: ['write'], durationSecondsMax: 60 }),
  ],
  ['requestable.updated', ({ own, rule }) => own.call('PATCH', `/v1/requestable/${rule}`, { names: ['*'] })],
  ['requestable.deleted', ({ own, rule }) => own.call('DELETE', `/v1/requestable/${rule}`)],
  [
    'limit.created',
    ({ own, server }) => own.call('POST', '/v1/limits', { server, tools: ['write'], terms: { kind: 'rate', calls: 1, perSeconds: 60 } }),
  ],
  ['limit.updated', ({ own, limit }) => own.call('PATCH', `/v1/limits/${limit}`, { terms: { kind: 'quota', calls: 20, per: 'month' } })],
  ['limit.deleted', ({ own, limit }) => own.call('DELETE', `/v1/limits/${limit}`)],
  ['definitions.approved', ({ own, fresh }) => own.call('POST', `/v1/servers/${fresh}/definitions/approve`, { all: true })],
  ['definitions.rejected', ({ own, fresh }) => own.call('POST', `/v1/servers/${fresh}/definitions/reject`, { all: true })],
  ['settings.updated', ({ own }) => own.call('PATCH', '/v1/settings', { auditLists: false, staleAfterSeconds: 61 })],
];

/** The revisions that these actions made. What is gone cannot be changed, and what is so already makes no revision. */
export async function makeChanges(w: World, wanted: typeof actions): Promise<number[]> {
  const revisions: number[] = [];
  for (const [, act] of wanted) {
    const { revision: earlier } = await w.own.database.policyState.findUniqueOrThrow({ where: { id: 1 } });
    const answer = await act(w);
    if (answer.status < 300 && revisionOf(answer) > earlier) revisions.push(revisionOf(answer));
  }
  return revisions;
}
