import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { GrantEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders, modernHeaders, modernMeta } from '../testing/mcp-headers.js';
import { aDefinition, aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

const agent = anAgent('alice');
const { gateway, live, events } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;
let one: ServerEntry;
let asked: { params: { arguments?: unknown } } | undefined;
let mirrored: string | undefined;

const inputSchema = {
  type: 'object',
  properties: { repo: { type: 'string', 'x-mcp-header': 'Repo' }, title: { type: 'string' } },
  required: ['repo', 'title'],
};

beforeAll(async () => {
  upstream = await startScriptedServer();
  const tools = [
    aTool('create_issue', { inputSchema }),
    aTool('list_issues', { annotations: { readOnlyHint: true } }),
    aTool('drop', { annotations: { destructiveHint: true } }),
  ];
  one = aServer('one', [...tools, aDefinition('prompt', 'greet')], {
    url: upstream.url,
    era: 'modern',
    tags: ['scm'],
    environment: 'prod',
    capabilitiesJson: '{"completions":{}}',
  });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
  upstream.answer = ({ json, message, request }) => {
    asked = message as typeof asked;
    mirrored = request.headers['mcp-param-repo'] as string | undefined;
    json({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', content: [], messages: [] } });
  };
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});
beforeEach(() => {
  asked = undefined;
  events.length = 0;
});

function granted(...grants: Partial<GrantEntry>[]): void {
  live.snapshot = aSnapshot({ servers: [one], agents: [agent], grants: grants.map((grant) => aGrant(agent, one, grant)) });
}

async function ask(era: 'legacy' | 'modern', method: string, params: Record<string, unknown> = {}, extra: Record<string, string> = {}) {
  const name = params['name'] as string | undefined;
  const headers = { ...modernHeaders(method, name), ...extra };
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(agent.token),
      ...(era === 'modern' && headers),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, ...(era === 'modern' && { _meta: modernMeta }) } }),
  });
  return (await response.json()) as { result?: { isError?: boolean; tools?: { name: string; inputSchema: unknown }[] }; error?: { code: number } };
}
const listed = async (era: 'legacy' | 'modern') => (await ask(era, 'tools/list')).result?.tools?.map(({ name }) => name);
const recorded = () => events.at(-1);

describe.each(['legacy', 'modern'] as const)('terms of grants (%s)', (era) => {
  const call = (name: string, args?: unknown, extra?: Record<string, string>) =>
    ask(era, 'tools/call', { name, ...(args !== undefined && { arguments: args }) }, extra);

  test('a condition lists its tool, lets through what it allows and answers the rest as a result the model can react to', async () => {
    granted({ names: ['list_issues'], condition: 'args.repo.startsWith("acme/")' });
    expect(await listed(era)).toEqual(['one__list_issues']);
    expect((await call('one__list_issues', { repo: 'acme/x' })).result?.isError).toBeUndefined();
    expect(asked?.params.arguments).toEqual({ repo: 'acme/x' });
    asked = undefined;
    for (const args of [{ repo: 'evil/x' }, { repo: 1 }, {}, undefined, ['acme/']]) {
      expect(await call('one__list_issues', args)).toMatchObject({ result: { isError: true } });
    }
    expect(asked).toBeUndefined();
  });

  test('A47: what a condition lets through is not reached by dots, case, look-alikes, kinds or gaps, and what it weighed is what goes on', async () => {
    granted({ names: ['list_issues'], condition: 'args.repo.matches("^acme/[a-z-]+$")' });
    asked = undefined;
    const repos = ['acme/../evil', 'acme/x/../y', 'ACME/x', 'acme/X', 'acme/x\n', '\uff41cme/x', 'acme/\u017f', ['acme/x'], { 0: 'acme/x' }, null];
    for (const args of [...repos.map((repo) => ({ repo })), { Repo: 'acme/x' }, {}])
      expect(await call('one__list_issues', args)).toMatchObject({ result: { isError: true } });
    expect(asked).toBeUndefined();
    expect((await call('one__list_issues', { repo: 'acme/x', Repo: 'evil/x' })).result?.isError).toBeUndefined();
    expect(asked).toMatchObject({ params: { arguments: { repo: 'acme/x', Repo: 'evil/x' } } });
  });

  test('what refused the arguments is on record, with the grant', async () => {
    const id = crypto.randomUUID();
    granted({ id, names: ['list_issues'], condition: 'args.repo == "a"' });
    await call('one__list_issues', { repo: 'b' });
    expect(recorded()).toMatchObject({ status: 'denied', decision: 'deny', reason: 'condition_false', grantId: id, tool: 'list_issues' });
    for (const args of [{}, ['a']]) {
      await call('one__list_issues', args);
      expect(recorded()).toMatchObject({ status: 'denied', decision: 'deny', reason: 'condition_error', grantId: id });
    }
  });

  test('a refused prompt is an error, and one that nothing grants stays unknown', async () => {
    granted({ kind: 'prompts', names: ['greet'], condition: 'args.who == "me"' });
    const get = (who: string) => ask(era, 'prompts/get', { name: 'one__greet', arguments: { who } });
    expect((await get('me')).error).toBeUndefined();
    expect(await get('you')).toMatchObject({ error: { code: -32602, message: 'These arguments are not allowed.' } });
  });

  const completion = (argument: unknown, context?: Record<string, string>) =>
    ask(era, 'completion/complete', {
      ref: { type: 'ref/prompt', name: 'one__greet' },
      argument,
      ...(context && { context: { arguments: context } }),
    });

  test('a completion is weighed by its argument and those beside it, and what is refused completes to nothing', async () => {
    granted({ kind: 'prompts', names: ['greet'], condition: 'args.repo.startsWith("acme/")' });
    await completion({ name: 'repo', value: 'acme/x' });
    expect(asked).toMatchObject({ params: { argument: { name: 'repo', value: 'acme/x' }, ref: { name: 'greet' } } });
    expect(recorded()).toMatchObject({ decision: 'allow', reason: 'granted', status: 'success' });
    await completion({ name: 'title', value: 'x' }, { repo: 'acme/y' });
    expect(asked).toMatchObject({ params: { context: { arguments: { repo: 'acme/y' } } } });
    asked = undefined;
    const refused = [
      await completion({ name: 'repo', value: 'evil/x' }),
      await completion({ name: 'repo', value: 'evil/x' }, { repo: 'acme/x' }),
      await completion({ name: 'title', value: 'x' }, { repo: 'evil/x' }),
      await completion({ name: 'title', value: 'x' }),
      await completion({ name: 'repo' }),
      await completion(undefined),
    ];
    for (const answer of refused) expect(answer.result).toMatchObject({ completion: { values: [], total: 0, hasMore: false } });
    expect(asked).toBeUndefined();
    expect(events.slice(-6)).toMatchObject(
      ['condition_false', 'condition_false', 'condition_false', 'condition_error', 'condition_error', 'condition_error'].map((reason) => ({
        method: 'completion/complete',
        phase: 'single',
        decision: 'deny',
        status: 'denied',
        reason,
      })),
    );
  });

  test('a completion counts under the limit of its grant, also where its arguments decide', async () => {
    granted({ kind: 'prompts', names: ['greet'], condition: 'args.repo == "a"', rateLimit: { calls: 1, perSeconds: 3600 } });
    await completion({ name: 'repo', value: 'a' });
    asked = undefined;
    expect((await completion({ name: 'repo', value: 'a' })).error).toBeDefined();
    expect(asked).toBeUndefined();
    expect(recorded()).toMatchObject({ decision: 'deny', reason: 'rate_limited' });
  });

  test('a pinned argument is neither shown nor chosen, and is forwarded', async () => {
    granted({ names: ['create_issue'], pinned: { repo: 'acme/x' } });
    const [tool] = (await ask(era, 'tools/list')).result?.tools ?? [];
    expect(tool?.inputSchema).toMatchObject({ properties: { title: { type: 'string' } }, required: ['title'] });
    expect(JSON.stringify(tool)).not.toContain('repo');
    await call('one__create_issue', { title: 't' });
    expect(asked?.params.arguments).toEqual({ title: 't', repo: 'acme/x' });
    expect(mirrored).toBe('acme/x');
    expect(await call('one__create_issue', { title: 't', repo: 'evil/x' }, { 'mcp-param-repo': 'evil/x' })).toMatchObject({
      result: { isError: true },
    });
    expect(recorded()).toMatchObject({ reason: 'pinned_argument', decision: 'deny' });
    await call('one__create_issue', { title: 't', repo: 'acme/x' }, { 'mcp-param-repo': 'acme/x' });
    expect(asked?.params.arguments).toEqual({ title: 't', repo: 'acme/x' });
  });

  test('a condition weighs what is forwarded, pinned arguments included', async () => {
    granted({ names: ['create_issue'], pinned: { repo: 'acme/x' }, condition: 'args.repo == "acme/x" && args.title != ""' });
    expect((await call('one__create_issue', { title: 't' })).result?.isError).toBeUndefined();
    expect((await call('one__create_issue', { title: '' })).result?.isError).toBe(true);
  });

  test('a selector grants by tags, environment and what tools say of themselves, and takes away alike', async () => {
    granted({ target: { selector: { tags: { anyOf: ['scm'] }, annotations: { readOnlyHint: true } } } });
    expect(await listed(era)).toEqual(['one__list_issues']);
    granted({}, { target: { selector: { environment: 'prod', annotations: { destructiveHint: true } } }, effect: 'deny' });
    expect(await listed(era)).toEqual(['one__list_issues']);
    granted({ target: { selector: { tags: { allOf: ['scm', 'other'] } } } });
    expect(await listed(era)).toEqual([]);
  });

  test('a shadow grant changes no list and no answer', async () => {
    granted({ names: ['list_issues'] }, { names: ['*'], mode: 'shadow' }, { names: ['*'], effect: 'deny', mode: 'shadow' });
    expect(await listed(era)).toEqual(['one__list_issues']);
    expect((await call('one__list_issues', {})).result?.isError).toBeUndefined();
    expect((await call('one__drop', {})).error?.code).toBe(-32602);
  });

  test('what a shadow grant would have decided is on record, once with its arguments', async () => {
    const [deny, allow] = [crypto.randomUUID(), crypto.randomUUID()];
    const shadows: Partial<GrantEntry>[] = [
      { id: deny, names: ['list_issues'], effect: 'deny', mode: 'shadow', condition: 'args.all == true' },
      { id: allow, names: ['drop'], mode: 'shadow', condition: 'args.table == "old"' },
    ];
    granted({ names: ['list_issues'] }, ...shadows);
    await call('one__list_issues', { all: true });
    expect(events.map(({ shadowDecision, shadowGrantId }) => [shadowDecision, shadowGrantId])).toEqual([
      ['deny', deny],
      ['deny', deny],
    ]);
    await call('one__list_issues', { all: false });
    expect(recorded()).toMatchObject({ shadowDecision: null, shadowGrantId: null, decision: 'allow' });
    await call('one__drop', { table: 'old' });
    expect(recorded()).toMatchObject({ shadowDecision: 'allow', shadowGrantId: allow, decision: 'deny', reason: 'no_grant' });
    await call('one__drop', { table: 'new' });
    expect(recorded()).toMatchObject({ shadowDecision: null, decision: 'deny' });
  });
});

test('a server that gains a tag joins the lists of agents whose grants select it', async () => {
  granted({ target: { selector: { tags: { anyOf: ['new'] } } } });
  expect(await listed('legacy')).toEqual([]);
  const grants = [...(live.snapshot?.grantsBySubject.values() ?? [])].flat();
  live.snapshot = aSnapshot({ servers: [{ ...one, tags: ['new'] }], agents: [agent], grants });
  expect(await listed('legacy')).toHaveLength(3);
  live.snapshot = aSnapshot({ servers: [one], agents: [agent], grants });
  expect(await listed('legacy')).toEqual([]);
});
