// What a decision costs at full scale: 13,000 servers with 10 tools each, agents with every kind of grant. `npm run bench:decide` builds and runs it.
import { compileTable, decide } from '@portcullis/policy';

const SERVERS = 13_000;
const TOOLS = 10;
const ROUNDS = 7;
const TARGETS = 100_000;
const NOW = 1_800_000_000_000;

const id = (family, n) => `${family.repeat(8)}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const tags = ['data', 'scm', 'chat', 'mail', 'crm', 'files', 'search', 'build', 'billing', 'maps'];
const servers = Array.from({ length: SERVERS }, (_, n) => ({
  id: id('a', n),
  slug: `server-${n}`,
  tags: [tags[n % 10], n % 3 === 0 ? 'reviewed' : 'new'],
  environment: n % 2 === 0 ? 'prod' : 'staging',
}));
const definitions = Array.from({ length: SERVERS * TOOLS }, (_, n) => ({
  json: JSON.stringify({ name: `tool_${n % TOOLS}`, inputSchema: { type: 'object' }, annotations: { readOnlyHint: n % 2 === 0 } }),
}));
const agent = { id: id('b', 1), slug: 'agent', enabled: true, toolNameStyle: 'double-underscore', groupIds: [id('c', 1)], keys: [] };

let grants = 0;
const grant = (target, rest = {}) => ({
  id: id('d', (grants += 1)),
  subject: { agentId: agent.id },
  target,
  kind: 'tools',
  names: ['*'],
  effect: 'allow',
  notBefore: null,
  expiresAt: null,
  ...rest,
});
const onServer = (n, rest) => grant({ serverId: servers[n].id }, rest);
const onTag = (tag, rest) => grant({ selector: { tags: { anyOf: [tag] } } }, rest);

const named = Array.from({ length: 1000 }, (_, n) => onServer(n * 13, { names: ['tool_1', 'tool_2', 'tool_[x]', `other_${n}`] }));
const globs = Array.from({ length: 1000 }, (_, n) => onServer(n * 13, { names: ['tool_*', 'get_*', '*_all'] }));
const selectors = [
  ...tags.map((tag) => onTag(tag)),
  grant({ selector: { annotations: { readOnlyHint: false } } }, { effect: 'deny', names: ['tool_3', 'delete_*'] }),
  grant({ selector: { environment: 'prod', tags: { allOf: ['new'] } } }, { effect: 'deny', names: ['tool_7'] }),
];
const CONDITIONS = [
  'args.repo.startsWith("acme/")',
  'args.limit <= 100 && args.options.depth < 3',
  'has(args.repo) && args.repo in ["acme/site", "acme/docs"]',
  'args.labels.all(l, l != "prod")',
  'args.repo.matches("^acme/[a-z-]+$")',
];
const args = { repo: 'acme/site', title: 'A title of usual length', limit: 50, labels: ['bug', 'p1', 'ui'], options: { depth: 2 } };

const policies = {
  '1,000 servers by exact names': { grants: named },
  '1,000 servers by globs': { grants: globs },
  'all servers by 12 selectors': { grants: selectors },
  'by selectors, and 1,000 grants by name': { grants: [...named, ...selectors] },
  ...Object.fromEntries(CONDITIONS.map((condition) => [condition, { grants: tags.map((tag) => onTag(tag, { condition })), args }])),
  'a pinned argument': { grants: tags.map((tag) => onTag(tag, { pinned: { repo: 'acme/site' } })), args: { title: 'x' } },
};

let seed = 7;
const random = (n) => (seed = (seed * 48_271) % 2_147_483_647) % n;
const targets = Array.from({ length: TARGETS }, () => {
  const [server, tool] = [random(SERVERS), random(TOOLS)];
  return { server: servers[server], kind: 'tools', name: `tool_${tool}`, definition: definitions[server * TOOLS + tool] };
});

const cpuUs = (work) => {
  const from = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(from);
  return user + system;
};

const rows = Object.entries(policies).map(([policy, { grants: these, args: given }]) => {
  const compileUs = Math.min(...Array.from({ length: 3 }, () => cpuUs(() => compileTable({ agent, grants: these }))));
  const table = compileTable({ agent, grants: these });
  let allowed = 0;
  const run = () => {
    allowed = 0;
    for (const target of targets) if (decide(table, target, given, NOW).effect === 'allow') allowed += 1;
  };
  const firstUs = cpuUs(run);
  const perDecision = Math.min(...Array.from({ length: ROUNDS }, () => cpuUs(run))) / TARGETS;
  return {
    policy,
    'µs per decision': Number(perDecision.toFixed(2)),
    'first pass': Number((firstUs / TARGETS).toFixed(2)),
    'table, ms': Number((compileUs / 1000).toFixed(2)),
    allowed: `${Math.round((allowed / TARGETS) * 100)} %`,
  };
});
console.table(rows);
