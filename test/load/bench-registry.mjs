// What a registry of thousands costs, as lines of Markdown:  npm run bench:registry -- [--servers 13000] [--discover 500|all] [--hosts 16] [--queries 400] [--profile FILE]
// A local stack of its own; one process stands in for all the servers, with ten tools each, at 16 ports: discovery takes each for a host, and is
// gentle to a host.
//   import     JSON Lines through REST, twice: new, and unchanged
//   discovery  of some of the servers at once, or of all of them at the pace that imports are given
//   search     all tools in the database and the index, a mix of queries through REST
// Progress goes to standard error. The machine should have nothing else to do.
import { createHash } from 'node:crypto';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { queryDatabase } from '@portcullis/testing';
import { startLocalStack } from '../local-stack/start-local-stack.mjs';
import { cpuSeconds } from './process-tree.mjs';
import { takeCpuProfile } from './take-cpu-profile.mjs';
import { rowOf, slugOf, toolsOf, TOOLS_EACH } from './registry-words.mjs';

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: '13000' },
    discover: { type: 'string', default: '500' },
    queries: { type: 'string', default: '400' },
    hosts: { type: 'string', default: '16' },
    profile: { type: 'string' },
  },
});
const PROFILE_SECONDS = 8;
const count = Number(values.servers);
const say = (line) => process.stderr.write(`${line}\n`);
const seconds = (since) => (performance.now() - since) / 1000;

const peers = fork(new URL('many-servers.mjs', import.meta.url), [values.hosts], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
const [ports] = await once(peers.stdout, 'data');
const bases = String(ports)
  .trim()
  .split(' ')
  .map((port) => `http://127.0.0.1:${port}`);
const stack = await startLocalStack({ say });
const sql = (statement, given) => queryDatabase(stack.databaseUrl, statement, given);
const one = async (statement) => Object.values((await sql(statement))[0])[0];
try {
  await measureImport();
  await measureDiscovery();
  await measureSearch();
} finally {
  await stack.stop();
  peers.disconnect();
}

async function* lines() {
  for (let from = 0; from < count; from += 500) {
    const rows = Array.from(
      { length: Math.min(500, count - from) },
      (_, at) => `${JSON.stringify(rowOf(from + at, bases[(from + at) % bases.length]))}\n`,
    );
    yield Buffer.from(rows.join(''));
  }
}

async function measureImport() {
  for (const what of ['new', 'unchanged']) {
    const begun = performance.now();
    const done = await stack.api.imports.create({ contentType: 'application/x-ndjson', chunks: lines() });
    const took = seconds(begun);
    console.log(
      `- import of ${done.received} rows, ${what}: ${took.toFixed(1)} s, ${Math.round(done.received / took)} rows/s (${done.created} created, ${done.unchanged} unchanged, ${done.failed} failed)`,
    );
  }
  const begun = performance.now();
  while (Number(await one('SELECT count(*) FROM search_dirty')) > 0) await sleep(200);
  console.log(`- search index behind the import: ${seconds(begun).toFixed(1)} s`);
}

async function measureDiscovery() {
  if (values.discover === '0') return;
  const isAll = values.discover === 'all';
  const wanted = isAll ? count : Math.min(Number(values.discover), count);
  const before = Number(await one('SELECT count(*) FROM server WHERE discovered_at IS NOT NULL'));
  // Not all: those asked for are due at once, so that what is measured is how fast discovery can be and not its pace.
  if (!isAll)
    await sql(
      `UPDATE server SET next_discovery_at = CASE WHEN id IN (SELECT id FROM server WHERE discovered_at IS NULL ORDER BY id LIMIT ${wanted}) THEN now() ELSE now() + interval '1 day' END`,
    );
  const cpuBefore = cpuByProcess();
  const profiling = values.profile === undefined ? undefined : takeCpuProfile(stack.pids.discovery, PROFILE_SECONDS);
  const begun = performance.now();
  for (let last = -1; ;) {
    const done = Number(await one('SELECT count(*) FROM server WHERE discovered_at IS NOT NULL')) - (isAll ? 0 : before);
    if (done !== last && isAll) say(`${done} servers discovered after ${seconds(begun).toFixed(0)} s`);
    last = done;
    if (done >= wanted) break;
    await sleep(isAll ? 2000 : 100);
  }
  const took = seconds(begun);
  const cpu = cpuByProcess();
  if (profiling !== undefined) await writeFile(values.profile, JSON.stringify(await profiling));
  const failed = Number(await one('SELECT count(*) FROM server WHERE discovery_error IS NOT NULL'));
  const definitions = Number(await one('SELECT count(*) FROM definition'));
  console.log(
    `- discovery of ${wanted} servers with ${TOOLS_EACH} tools each${isAll ? ', at the pace of imports' : ''}: ${took.toFixed(1)} s, ${(wanted / took).toFixed(1)} servers/s, ${failed} failed, ${definitions} definitions; ${count} servers at this rate: ${(count / (wanted / took) / 60).toFixed(1)} min`,
  );
  const each = Object.entries(cpu).map(([name, used]) => `${name} ${(((used - cpuBefore[name]) * 1000) / wanted).toFixed(1)}`);
  console.log(`- CPU ms per discovered server: ${each.join(', ')}`);
}

/** CPU seconds so far of each process of the stack, with its descendants. */
function cpuByProcess() {
  return Object.fromEntries(Object.entries(stack.pids).map(([name, pid]) => [name, cpuSeconds([pid])]));
}

/** Definitions of the servers that were not discovered, as discovery would have written them. */
async function fill() {
  await sql('UPDATE server SET next_discovery_at = NULL'); // nobody else writes while this is measured
  const missing = await sql('SELECT id::text AS id, import_key FROM server s WHERE NOT EXISTS (SELECT 1 FROM definition d WHERE d.server_id = s.id)');
  for (let from = 0; from < missing.length; from += 500) {
    const rows = missing.slice(from, from + 500).flatMap(({ id, import_key: key }) =>
      toolsOf(Number(key.slice(6))).map((tool) => {
        const json = JSON.stringify(tool);
        return [id, tool.name, json, createHash('sha256').update(json).digest('hex')];
      }),
    );
    await sql(
      `INSERT INTO definition (id, server_id, kind, name, json, hash) SELECT gen_random_uuid(), s, 'tool', n, convert_to(j, 'UTF8'), h
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS r (s, n, j, h) ON CONFLICT DO NOTHING`,
      [0, 1, 2, 3].map((column) => rows.map((row) => row[column])),
    );
  }
}

async function measureSearch() {
  const filled = performance.now();
  await fill();
  say(`definitions written after ${seconds(filled).toFixed(1)} s`);
  const indexed = performance.now();
  while (Number(await one('SELECT count(*) FROM search_dirty')) > 0) await sleep(200);
  const entries = Number(await one('SELECT count(*) FROM search_entry'));
  const bytes = await one("SELECT pg_size_pretty(pg_total_relation_size('search_entry'))");
  console.log(`- search index of ${entries} entries: ready ${seconds(indexed).toFixed(1)} s after the last write, ${bytes} in all`);
  await sql("UPDATE definition SET state = 'rejected' WHERE right(hash, 2) = '00'");
  await sql('VACUUM ANALYZE search_entry, definition, server');
  const kinds = {
    'exact name': (at) => ({ q: slugOf((at * 37) % count) }),
    'beginning of a name': (at) => ({ q: toolsOf((at * 53) % count)[at % 10].name.slice(0, 9) }),
    'two words': (at) => ({
      q: `${['invoice', 'branch', 'alert', 'customer'][at % 4]} ${['workspace', 'export', 'status', 'approve'][(at >> 2) % 4]}`,
    }),
    'a common word': (at) => ({ q: ['repository', 'project', 'returns', 'team'][at % 4] }),
    'words in one state': (at) => ({ q: ['merge cluster', 'secret role'][at % 2], state: 'pending', kind: 'tool' }),
    'words in a rare state': (at) => ({ q: ['merge cluster', 'secret role'][at % 2], state: 'rejected', kind: 'tool' }),
    'servers by word': (at) => ({ q: ['billing', 'returns project', 'calendar dashboard', 'secret role'][at % 4], kind: 'server' }),
    'a misspelt name': (at) => ({ q: ['repostory', 'dashbord', 'deploymnet', 'custmer'][at % 4] }),
    nothing: (at) => ({ q: `zzyzx${at}` }),
  };
  const each = Math.ceil(Number(values.queries) / Object.keys(kinds).length);
  const all = [];
  console.log('\n| query | p50 ms | p95 ms | found |\n| --- | ---: | ---: | ---: |');
  for (const [name, query] of Object.entries(kinds)) {
    const times = [];
    let found = 0;
    for (let at = 0; at < each; at += 1) {
      const begun = performance.now();
      found += (await stack.api.search.page({ ...query(at), limit: 20 })).items.length;
      times.push(performance.now() - begun);
    }
    all.push(...times);
    console.log(`| ${name} | ${percentile(times, 50)} | ${percentile(times, 95)} | ${(found / each).toFixed(1)} |`);
  }
  console.log(`| **all** | ${percentile(all, 50)} | ${percentile(all, 95)} | |\n`);
  await explain('words', asked('invoice,export', ''));
  await explain('rare words', asked('billing,archive,payments', ''));
  await explain('words in one state', asked('secret,role', inState('pending')));
  await explain('words in a rare state', asked('secret,role', inState('rejected')));
  await explain('a misspelt name', "SELECT id FROM search_entry WHERE 'repostory' <% words LIMIT 1000");
}

/** The statement as search puts it: the query is a constant, so that it is planned for these words. */
async function asked(words, more) {
  const query = await one(`SELECT search_query('{${words}}')::text AS q`);
  return `SELECT e.id, e.document FROM search_entry e WHERE e.document @@ '${query.replaceAll("'", "''")}'::tsquery ${more} LIMIT 1000`;
}

function inState(state) {
  return `AND e.kind = 'tool' AND e.id IN (SELECT d.id FROM definition d WHERE d.state = '${state}')`;
}

function percentile(times, part) {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * part) / 100))] ?? 0).toFixed(1);
}

async function explain(name, statement) {
  const plan = await sql(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) ${await statement}`);
  console.log(`Plan for ${name}:\n\n${plan.map((row) => `    ${row['QUERY PLAN']}`).join('\n')}\n`);
}
