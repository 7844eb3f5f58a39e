// What a runner adds to a call of a stdio server: calls per second and CPU per call through a node and a runner, through a runner alone, and against the same server as a child of
// its caller, by turns; and what a runner holds with 200 servers registered, 20 of them running. `npm run bench:runner [-- --seconds 4 --rounds 3]`.
import { realpathSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startLocalStack } from '../../local-stack/start-local-stack.mjs';
import { LoadConnection } from '../load-connection.mjs';
import { memoryMiB, ownCpuSeconds, withDescendants } from '../process-tree.mjs';
import { ACCESS_TOKEN, startRunner } from './start-runner.mjs';
import { StdioConnection } from './stdio-connection.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '4' }, rounds: { type: 'string', default: '3' } } });
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const IN_FLIGHT = 16;
const SIZES = [100, 10_000, 1_000_000];
const node = realpathSync(process.execPath);
const echo = fileURLToPath(new URL('stdio-echo.mjs', import.meta.url));
const profile = { program: { kind: 'executable', path: node }, args: [echo] };
const shape = { params: (params) => params, headers: () => '' };

async function openConnection(url, token = ACCESS_TOKEN) {
  const connection = new LoadConnection({ url, token, shape });
  connection.session = 'portcullis-agent: bench\r\n';
  const { headers } = await connection.request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  });
  connection.session += `mcp-session-id: ${headers['mcp-session-id']}\r\n`;
  return connection;
}

/** Calls for so long, so many at a time; gives calls, and CPU milliseconds of each of these processes. */
async function measure(clients, args, pids) {
  const before = pids.map(ownCpuSeconds);
  const endsAt = performance.now() + seconds * 1000;
  const startedAt = performance.now();
  let calls = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < endsAt) {
        await client.request('tools/call', { name: 'echo', arguments: args });
        calls += 1;
      }
    }),
  );
  const elapsed = (performance.now() - startedAt) / 1000;
  return { perSecond: calls / elapsed, cpuMs: pids.map((pid, at) => ((ownCpuSeconds(pid) - before[at]) * 1000) / calls) };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** A node in front of the runner, which to it is a server like any other: `{ url, key, pid, stop }`. */
async function startNode(runner) {
  const stack = await startLocalStack();
  const { api } = stack;
  await api.servers.create({ slug: 'echo', url: runner.url('echo').href, approve: 'all' });
  const headers = [{ name: 'Authorization', value: `Bearer ${ACCESS_TOKEN}` }];
  await api.credentials.create({ server: 'echo', credential: { kind: 'headers', headers } });
  const { server } = await api.servers.discover('echo', { waitSeconds: 60 });
  if (server.discovery.status !== 'ok') throw new Error(`discovery: ${server.discovery.error}`);
  await api.agents.create({ slug: 'bench' });
  await api.grants.create({ agent: 'bench', server: 'echo', kind: 'tools', names: ['*'] });
  const { value } = await api.agents.createKey('bench', {}, { wait: 'all' });
  const pid = stack.pids[Object.keys(stack.pids).find((name) => name.startsWith('gateway-'))];
  return { url: new URL(`${stack.gatewayUrls[0]}/servers/echo/mcp`), key: value.key, pid, stop: () => stack.stop() };
}

async function openConnections(url, token) {
  const connections = [];
  for (let count = 0; count < IN_FLIGHT; count += 1) connections.push(await openConnection(url, token));
  return connections;
}

async function benchCalls() {
  const runner = await startRunner({ echo: profile });
  const direct = new StdioConnection(node, [echo]);
  await direct.open();
  await pause(3000); // until the runner has been told what it hosts
  const hosts = await openConnections(runner.url('echo'));
  const hosted = [...withDescendants([runner.pid])].toSorted((a, b) => a - b).at(-1);
  const gateway = await startNode(runner);
  const nodes = await openConnections(gateway.url, gateway.key);
  const ways = {
    direct: { clients: Array(IN_FLIGHT).fill(direct), pids: { child: direct.child.pid } },
    runner: { clients: hosts, pids: { child: hosted, runner: runner.pid } },
    'node and runner': { clients: nodes, pids: { child: hosted, runner: runner.pid, node: gateway.pid } },
  };
  for (const bytes of SIZES) {
    const found = new Map(Object.keys(ways).map((name) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, { clients, pids }] of Object.entries(ways)) {
        found.get(name).push(await measure(clients, { text: 'x'.repeat(bytes) }, Object.values(pids)));
      }
    }
    for (const [name, { pids }] of Object.entries(ways)) {
      const rate = median(found.get(name).map(({ perSecond }) => perSecond));
      const cpu = Object.keys(pids).map((part, at) => `${part} ${median(found.get(name).map(({ cpuMs }) => cpuMs[at])).toFixed(3)}`);
      console.log(`${bytes} bytes, ${name}: ${rate.toFixed(0)} calls/s; ms of CPU a call: ${cpu.join(', ')}`);
    }
  }
  for (const connection of [...hosts, ...nodes, direct]) connection.close();
  await gateway.stop();
  await runner.stop();
}

async function benchMemory() {
  const profiles = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`server-${at}`, profile]));
  const runner = await startRunner(profiles);
  await pause(5000);
  const registered = memoryMiB([runner.pid]);
  const connections = [];
  for (let at = 0; at < 20; at += 1) connections.push(await openConnection(runner.url(`server-${at}`)));
  await pause(5000);
  const all = memoryMiB([runner.pid]);
  const cpuBefore = ownCpuSeconds(runner.pid);
  await pause(10_000);
  const own = memoryMiB([runner.pid], { withChildren: false });
  console.log(`200 registered: ${registered.toFixed(0)} MiB; 20 running: ${own.toFixed(0)} MiB, with their processes ${all.toFixed(0)} MiB`);
  console.log(`20 running and idle: ${((ownCpuSeconds(runner.pid) - cpuBefore) * 10).toFixed(1)} % of one core`);
  connections.forEach((connection) => connection.close());
  await runner.stop();
}

await benchCalls();
await benchMemory();
