// What searching the audit trail and writing it cost, as tables in Markdown:
//   npm run bench:audit -- [--rows 20000000] [--days 30] [--data DIRECTORY] [--rounds 20] [--seconds 20] [--plans all|slow|none] [--only WORDS] [--proof]
// Fills the trail of a local stack, asks what auditors ask over REST, shows the plans of what takes longer than it should, and stores events by the
// worker's own way. 20 million rows take 20 GB of disk and a quarter of an hour to fill; with --data they are kept, and the next run begins with the
// questions. The machine should have nothing else to do.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Prisma } from '@portcullis/database';
import { startFilledStack, untilCostsAreSummed } from './filled-stack.mjs';
import { measureInserts } from './measure-inserts.mjs';
import { measureProof } from './measure-proof.mjs';
import { questionsAbout } from './questions.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000000' },
    days: { type: 'string', default: '30' },
    data: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
    plans: { type: 'string', default: 'slow' },
    only: { type: 'string', default: '' },
    proof: { type: 'boolean', default: false },
  },
});
const P95_MS_MAX = 300;
/** What takes so long is not asked twenty times. */
const QUESTION_MS_MAX = 6000;
const PLAN_LINES_MAX = 45;
const say = (line) => process.stderr.write(`${line}\n`);
const print = (line) => process.stdout.write(`${line}\n`);
const directory = values.data ?? (await mkdtemp(join(tmpdir(), 'portcullis-audit-')));
const stack = await startFilledStack({ rows: Number(values.rows), days: Number(values.days), directory, say });
try {
  await printFilling(stack);
  await priceEverything(stack.api);
  print(`Costs summed up ${Math.round(await untilCostsAreSummed(stack.database, say))} s after that.\n`);
  print('| question | p50 ms | p95 ms | rows | there is more |\n| --- | ---: | ---: | ---: | --- |');
  const questions = (await questionsAbout(stack)).filter(({ name }) => name.includes(values.only));
  const slow = [];
  for (const question of questions) {
    const { row, isSlow } = await measured(question);
    print(row);
    if (isSlow) slow.push(question);
  }
  print(`\nAbove ${P95_MS_MAX} ms at the 95th percentile: ${slow.map(({ name }) => name).join('; ') || 'none'}.\n`);
  const explained = { all: questions, slow, none: [] }[values.plans] ?? [];
  for (const { name, query } of explained) if (query !== undefined) print(`### ${name}\n\n\`\`\`\n${await planOf(query)}\n\`\`\`\n`);
  if (values.only === '') await printInserts();
  if (values.proof) await printProof();
} finally {
  await stack.stop();
  if (values.data === undefined) await rm(directory, { recursive: true, force: true });
}

async function printFilling({ database, trail }) {
  const [{ bytes }] =
    await database.$queryRaw`SELECT sum(pg_total_relation_size(inhrelid))::float8 AS bytes FROM pg_inherits WHERE inhparent = 'audit_event'::regclass`;
  const { filled, fillSeconds, settleSeconds } = trail;
  const size = (bytes / 2 ** 30).toFixed(1);
  print(`${filled.toLocaleString('en')} rows in ${values.days} days, ${size} GiB with indexes; filled in ${Math.round(fillSeconds)} s,`);
  print(`sealed and counted ${Math.round(settleSeconds)} s after the start of the stack.\n`);
}

/** A price for every call and one more telling, unless an earlier run set them. */
async function priceEverything(api) {
  const effectiveFrom = '2020-01-01T00:00:00Z';
  for (const price of [
    { server: '*', amountMicros: '1000' },
    { server: 'server-1*', amountMicros: '7', basis: 'byte', per: 1000 },
  ])
    await api.prices.create({ ...price, currency: 'EUR', effectiveFrom }).catch((error) => {
      if (error.status !== 409) throw error;
    });
}

async function measured({ name, ask }) {
  const times = [];
  let told;
  for (let spent = 0; times.length < Number(values.rounds) && (times.length < 3 || spent < QUESTION_MS_MAX);) {
    const startedAt = performance.now();
    told = await ask().catch((error) => ({ rows: `refused: ${error.message}`, isMore: false }));
    times.push(performance.now() - startedAt);
    spent += times.at(-1);
  }
  times.sort((one, other) => one - other);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  const row = `| ${name} | ${at(0.5).toFixed(0)} | ${at(0.95).toFixed(0)} | ${told.rows} | ${told.isMore ? 'yes' : ''} |`;
  return { row, isSlow: at(0.95) > P95_MS_MAX };
}

/** The plan of the first statement that reads the trail, explained instead of run. */
async function planOf(query) {
  const plans = [];
  const { database } = stack;
  const explaining = {
    agent: database.agent,
    $queryRaw: async (texts, ...parts) => {
      const rows = await database.$queryRaw(Prisma.sql`EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) ${Prisma.sql(texts, ...parts)}`);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
      return [];
    },
  };
  await query(explaining);
  const lines = (plans[0] ?? '').split('\n').filter((line) => !line.includes('never executed'));
  return lines.slice(0, PLAN_LINES_MAX).join('\n');
}

async function printInserts() {
  const { stored, ceiling } = await measureInserts(stack.database, Number(values.seconds));
  print('| stored into the same table | events/s | CPU of the worker, µs an event | CPU of Postgres, µs an event |\n| --- | ---: | ---: | ---: |');
  const rowOf = (name, { rate, clientUs, serverUs }) =>
    `| ${name} | **${Math.round(rate).toLocaleString('en')}** | ${clientUs.toFixed(1)} | ${serverUs.toFixed(1)} |`;
  print(rowOf('by the worker, from batches as nodes write them', stored));
  print(rowOf('`COPY` of the same rows from a file, nothing looked at', ceiling));
  print('');
}

async function printProof() {
  const { sealedPerSecond, verifiedPerSecond, verification } = await measureProof(stack.database, stack.api);
  const rate = (perSecond) => `${Math.round(perSecond).toLocaleString('en')} events/s`;
  print(`Sealed by Postgres: **${rate(sealedPerSecond)}**. Verified over REST: **${rate(verifiedPerSecond)}**, ${verification.verdict}.\n`);
}
