// What searching the audit trail and writing it cost, as tables in Markdown:  npm run bench:audit -- [--rows 1000000] [--days 30] [--rounds 15] [--proof]
// Fills the trail of a local stack, asks what auditors ask over REST, shows the plan of each first window, and stores events by the worker's own statement.
// 20 million rows (--rows 20000000) take about 30 GB of disk. The machine should have nothing else to do.
import { parseArgs } from 'node:util';
import { openDatabase, Prisma } from '@portcullis/database';
import { listCalls } from '../../../apps/control-plane/dist/audit/audit.repository.js';
import { startLocalStack } from '../../local-stack/start-local-stack.mjs';
import { fillTrail } from './fill-trail.mjs';
import { measureInserts } from './measure-inserts.mjs';
import { measureProof } from './measure-proof.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    days: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '20' },
    plans: { type: 'boolean', default: false },
    proof: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const say = (line) => process.stderr.write(`${line}\n`);
const stack = await startLocalStack({ nodes: 1, environment: { LOG_LEVEL: 'warn' }, say });
const database = openDatabase(stack.databaseUrl, 4);
try {
  const filledAt = performance.now();
  const { filled, from } = await fillTrail(database, { rows: Number(values.rows), days: Number(values.days), say });
  const [{ bytes }] =
    await database.$queryRaw`SELECT sum(pg_total_relation_size(inhrelid))::float8 AS bytes FROM pg_inherits WHERE inhparent = 'audit_event'::regclass`;
  const { eventsPerSecond } = await measureInserts(database, Number(values.seconds));
  print(
    `${filled.toLocaleString('en')} rows in ${values.days} days, ${(bytes / 2 ** 30).toFixed(1)} GiB with indexes, filled in ${seconds(filledAt)} s.`,
  );
  print(`Stored by the worker's statement: **${Math.round(eventsPerSecond).toLocaleString('en')} events/s**.\n`);
  if (values.proof) await printProof();
  print('| query | p50 ms | p95 ms | calls on the first page | it is the last |\n| --- | ---: | ---: | ---: | --- |');
  const questions = await questionsAbout(from);
  for (const [name, filter] of questions) print(await measured(name, filter));
  if (values.plans) for (const [name, filter] of questions) print(`\n### ${name}\n\n\`\`\`\n${await planOf(filter)}\n\`\`\``);
} finally {
  await database.$disconnect();
  await stack.stop();
}

async function printProof() {
  const { sealedPerSecond, verifiedPerSecond, verification } = await measureProof(database, stack.api);
  const rate = (perSecond) => `${Math.round(perSecond).toLocaleString('en')} events/s`;
  print(`Sealed by Postgres: **${rate(sealedPerSecond)}**. Verified over REST: **${rate(verifiedPerSecond)}**, ${verification.verdict}.\n`);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

function seconds(since) {
  return Math.round((performance.now() - since) / 1000);
}

/**
 * What auditors ask, by name; some of it of a call in the middle of the trail.
 * @returns {Promise<[string, object][]>}
 */
async function questionsAbout(start) {
  const middle = new Date((start.getTime() + Date.now()) / 2);
  const day = { from: new Date(middle.getTime() - 43_200_000).toISOString(), to: new Date(middle.getTime() + 43_200_000).toISOString() };
  const [some] = await database.$queryRaw`SELECT trace_id, convert_from(arguments, 'UTF8') AS text FROM audit_event
    WHERE at > ${middle} AND trace_id IS NOT NULL AND arguments IS NOT NULL ORDER BY call_id LIMIT 1`;
  return [
    ['newest', {}],
    ['a day', day],
    ['a busy agent', { agent: 'agent-0' }],
    ['a quiet agent', { agent: 'agent-990' }],
    ['an agent that is not there', { agent: 'nobody' }],
    ['server and tool', { server: 'server-7', tool: 'tool_3' }],
    ['refused', { decision: 'deny' }],
    ['timed out at a server', { server: 'server-1', status: 'timeout' }],
    ['an agent, longer than 2 s', { agent: 'agent-0', durationMsMin: 2000 }],
    ['longer than 2.9 s', { durationMsMin: 2900 }],
    ['a trace', { traceId: some.trace_id }],
    ['a revision', { revision: 3 }],
    ['text in arguments, of an agent and a day', { agent: 'agent-0', argumentsText: 'abc', ...day }],
    ['text in arguments, nowhere', { argumentsText: 'not to be found' }],
    ['text anywhere, one match', { q: JSON.parse(some.text).query }],
  ];
}

async function measured(name, filter) {
  const times = [];
  let page;
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    page = await stack.api.audit.events.page(filter);
    times.push(performance.now() - startedAt);
  }
  times.sort((one, other) => one - other);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(0);
  return `| ${name} | ${at(0.5)} | ${at(0.95)} | ${page.items.length} | ${page.nextCursor === null ? 'yes' : ''} |`;
}

/** The plan of the first window: what the repository asks, explained instead of run. */
async function planOf(filter) {
  const plans = [];
  const explaining = {
    agent: database.agent,
    $queryRaw: async (texts, ...parts) => {
      const rows = await database.$queryRaw(Prisma.sql`EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) ${Prisma.sql(texts, ...parts)}`);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
      return [];
    },
  };
  await listCalls(explaining, filter, { limit: 50 });
  return plans[0]
    .split('\n')
    .filter((line) => !line.includes('never executed'))
    .slice(0, 40)
    .join('\n');
}
