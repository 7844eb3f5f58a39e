import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createApiClient } from '@portcullis/api-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePortBase, isAlive, portcullis, type Stack, startUp, type Up } from '../e2e/portcullis-command.js';

const patient = { timeout: 60_000, interval: 100 };
const startMs = 180_000;

const granted = {
  'code-review-agent': ['github__create_issue'],
  'data-agent': ['postgres__query', 'postgres__schema'],
  'comms-agent': ['slack__list_channels', 'slack__post_message'],
  'notes-agent': ['files__read_text_file', 'files__write_file', 'memory__create_entities', 'memory__open_nodes'],
};

let data: string;
let base: number;
let up: Up;
let stack: Stack;

const demoArgs = (): string[] => ['--demo', '--data', data, '--port-base', String(base)];

async function start(): Promise<void> {
  up = startUp(demoArgs());
  stack = await up.ready;
}

async function connectAs(agent: string, gatewayUrl: string): Promise<Client> {
  const requestInit = { headers: { authorization: `Bearer ${stack.agents[agent]}` } };
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gatewayUrl}/mcp`), { requestInit }));
  return client;
}

async function toolsOf(agent: string, gatewayUrl: string): Promise<string[]> {
  const client = await connectAs(agent, gatewayUrl);
  try {
    return (await client.listTools()).tools.map(({ name }) => name).sort();
  } finally {
    await client.close();
  }
}

const everyAgentSeesItsTools = async (): Promise<void> => {
  for (const [agent, names] of Object.entries(granted))
    for (const url of stack.gatewayUrls) await vi.waitFor(async () => expect(await toolsOf(agent, url)).toEqual(names), patient);
};

const livingPids = (): string[] =>
  Object.entries(stack.pids)
    .filter(([, pid]) => isAlive(pid))
    .map(([name]) => name);

// The tests tell one story: a stack is started, used, ended, killed and started again on the same data.
describe('portcullis up', () => {
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'portcullis-up-'));
    await chmod(data, 0o711); // as the command makes it
    base = await freePortBase();
    await start();
  }, startMs);

  afterAll(async () => {
    up.signal('SIGTERM');
    await up.ended;
    await rm(data, { recursive: true, force: true });
  });

  it('starts everything, and shows each demo agent exactly its tools on every node', async () => {
    expect(stack.gatewayUrls).toEqual([`http://127.0.0.1:${base + 10}`, `http://127.0.0.1:${base + 11}`]);
    expect(Object.keys(stack.pids).sort()).toEqual(
      ['audit-worker', 'control-plane', 'demo-everything', 'demo-github', 'demo-postgres', 'demo-slack', 'discovery']
        .concat(['gateway-1', 'gateway-2', 'postgres', 'redis', 'runner'])
        .sort(),
    );
    await everyAgentSeesItsTools();
  });

  it('carries a call of an agent to the real server behind it', async () => {
    const client = await connectAs('data-agent', stack.gatewayUrls[1] ?? '');
    const result = await client.callTool({ name: 'postgres__query', arguments: { sql: 'SELECT 6 * 7 AS answer' } });
    expect(JSON.stringify(result.content)).toContain('42');
    await client.close();
  });

  it('keeps the tokens for their owner alone, and leaves the first token nowhere else', async () => {
    expect((await stat(join(data, 'tokens.json'))).mode & 0o777).toBe(0o600);
    const { controlPlaneUrl, gatewayUrls, operatorToken, agents } = stack;
    expect(JSON.parse(await readFile(join(data, 'tokens.json'), 'utf8'))).toEqual({ controlPlaneUrl, gatewayUrls, operatorToken, agents });
    await expect(stat(join(data, 'operator-token'))).rejects.toThrow('ENOENT');
  });

  it('explains why an agent may use a tool or not, with an exit code to script on', async () => {
    const allowed = await portcullis(['why', 'code-review-agent', 'github:create_issue', '--data', data]);
    expect(allowed).toMatchObject({ code: 0, stderr: '' });
    expect(allowed.stdout).toContain('code-review-agent may use github:create_issue');
    const denied = await portcullis(['why', 'data-agent', 'github:create_issue', '--data', data]);
    expect(denied).toMatchObject({ code: 1, stderr: '' });
    expect(denied.stdout).toContain('What would change that:');
    const nobody = await portcullis(['why', 'no-such-agent', 'github:create_issue', '--data', data]);
    expect(nobody).toMatchObject({ code: 1, stderr: '' });
    const silent = await portcullis(['why', 'data-agent', 'github:create_issue', '--url', 'http://127.0.0.1:1', '--token', 'op_x']);
    expect(silent).toEqual({ code: 2, stdout: '', stderr: 'portcullis: Nothing answers at http://127.0.0.1:1\n' });
  });

  it('shows policy as one file, tells what a change of it would do, makes it, and takes it back', async () => {
    const listed = await portcullis(['access', 'code-review-agent', '--data', data]);
    expect(listed).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^tools {5}github:create_issue {2}grant /m) });
    const exported = await portcullis(['policy', 'export', '--data', data]);
    const file = join(data, 'policy.yaml');
    await writeFile(file, exported.stdout);
    const same = await portcullis(['policy', 'import', file, '--prune', '--data', data]);
    expect(same).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Policy says so already') });
    await writeFile(file, exported.stdout.replace('- create_issue', '- no_such_tool'));
    const told = await portcullis(['policy', 'import', file, '--dry-run', '--data', data]);
    expect(told.stdout).toMatch(/Would change[^]*updated grant[^]*Lost: 1\n {2}code-review-agent github:create_issue/);
    const made = await portcullis(['policy', 'import', file, '--reason', 'a try', '--data', data]);
    const [, revision = ''] = /Changed in revision (\d+):/.exec(made.stdout) ?? [];
    const undone = await portcullis(['revert', revision, '--reason', 'only a try', '--data', data]);
    expect(undone).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`Revision ${revision} is undone`) });
    expect(await portcullis(['policy', 'export', '--data', data])).toEqual(exported);
    await writeFile(file, 'changes:\n  - do: agent.update\n    agent: code-review-agent\n    change: { enabled: false }\n');
    const previewed = await portcullis(['policy', 'preview', file, '--data', data]);
    expect(previewed).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Lost: 1') });
  });

  it('puts a server of one’s own to use with one command', async () => {
    const url = `http://127.0.0.1:${base + 9}/mcp`;
    const args = ['add', url, '--slug', 'mine', '--agent', 'new-agent', '--tools', 'echo', '--data', data];
    const refused = await portcullis(args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    const added = await portcullis([...args, '--yes']);
    expect(added.stderr).not.toContain('portcullis:');
    expect(added.stdout).toContain('mine at');
    stack.agents['new-agent'] = /^ {2}(gw_\S+)$/m.exec(added.stdout)?.[1] ?? '';
    await vi.waitFor(async () => expect(await toolsOf('new-agent', stack.gatewayUrls[0] ?? '')).toEqual(['mine__echo']), patient);
    const again = await portcullis([...args, '--yes']);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('It has a key already.');
  });

  it('leaves nothing behind when a server cannot be added', async () => {
    const dead = await portcullis(['add', `http://127.0.0.1:${base + 98}/mcp`, '--slug', 'dead', '--agent', 'other', '--yes', '--data', data]);
    expect(dead.code).toBe(2);
    const missing = ['add', `http://127.0.0.1:${base + 9}/mcp`, '--slug', 'other', '--agent', 'other', '--tools', 'nope', '--yes', '--data', data];
    expect(await portcullis(missing)).toMatchObject({ code: 2, stderr: expect.stringContaining('offers no tool named nope') as string });
    const api = createApiClient({ baseUrl: stack.controlPlaneUrl, token: stack.operatorToken });
    await expect(api.servers.read('dead')).rejects.toMatchObject({ status: 404 });
    await expect(api.servers.read('other')).rejects.toMatchObject({ status: 404 });
    await expect(api.agents.read('other')).rejects.toMatchObject({ status: 404 });
  });

  it('refuses a second start on the same data, and one on the same ports, saying what to do', async () => {
    const same = await startUp(demoArgs()).ended;
    expect(same).toMatchObject({ code: 2, stdout: '' });
    expect(same.stderr).toContain(`(pid ${up.pid})`);
    const elsewhere = await mkdtemp(join(tmpdir(), 'portcullis-up-'));
    const taken = await startUp(['--data', elsewhere, '--port-base', String(base)]).ended;
    expect(taken).toMatchObject({ code: 2, stdout: '' });
    expect(taken.stderr).toContain(`Ports ${base} (meant for the control plane)`);
    expect(taken.stderr).toContain('--port-base');
    await rm(elsewhere, { recursive: true });
  });

  it('starts a part again that dies, and reports it', async () => {
    process.kill(stack.pids['gateway-1'] ?? 0, 'SIGKILL');
    process.kill(stack.pids['redis'] ?? 0, 'SIGKILL');
    await vi.waitFor(() => {
      expect(up.said()).toContain('gateway-1 ended (SIGKILL) and starts again');
      expect(up.said()).toContain('redis ended and starts again');
    }, patient);
    await everyAgentSeesItsTools();
  });

  it('ends every process it started at Ctrl-C, having printed one line', async () => {
    const all = JSON.parse(await readFile(join(data, 'processes.json'), 'utf8')) as { name: string; pid: number }[];
    expect(all.length).toBeGreaterThan(8);
    up.signal('SIGINT');
    const { code, stdout } = await up.ended;
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(all.filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(livingPids()).toEqual([]);
  });

  it('finds its data at the next start: same tokens, same grants', { timeout: startMs }, async () => {
    const before = stack;
    await start();
    expect(stack.operatorToken).toBe(before.operatorToken);
    expect(stack.agents).toMatchObject(Object.fromEntries(Object.keys(granted).map((slug) => [slug, before.agents[slug]])));
    await everyAgentSeesItsTools();
    const api = createApiClient({ baseUrl: stack.controlPlaneUrl, token: stack.operatorToken });
    const grants = await api.grants.list.page({ agent: 'data-agent' });
    expect(grants.items).toHaveLength(1);
  });

  it('leaves nothing running when it is killed outright, and starts again at once', { timeout: startMs }, async () => {
    const left = stack.pids;
    up.signal('SIGKILL');
    await up.ended;
    await start();
    expect(Object.entries(left).filter(([name, pid]) => stack.pids[name] !== pid && isAlive(pid))).toEqual([]);
    await everyAgentSeesItsTools();
  });
});
