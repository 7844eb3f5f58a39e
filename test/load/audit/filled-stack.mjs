import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '@portcullis/database';
import { startPostgres } from '@portcullis/local-services';
import { costDays } from '../../../apps/control-plane/dist/cost/cost-days.js';
import { startLocalStack } from '../../local-stack/start-local-stack.mjs';
import { fillTrail, uuidOf } from './fill-trail.mjs';

const SETTLED_MS = 2000;

/** Until the sums of costs say what the prices of now say. Resolves to how many seconds that took. */
export async function untilCostsAreSummed(database, say) {
  const startedAt = performance.now();
  for (let before; ;) {
    const left = (await costDays(database)).filter(({ summed }) => !summed).length;
    if (left === 0) return (performance.now() - startedAt) / 1000;
    if (left !== before) say(`costs of ${left} days are not summed up`);
    before = left;
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  }
}

/**
 * A local stack whose trail has so many rows. A directory is kept, and filled once: the same command finds it again. Resolves when everything is sealed and
 * counted, as it is where a trail has grown over time.
 */
export async function startFilledStack({ rows, days, directory, say }) {
  const start = () => startLocalStack({ nodes: 1, directory, environment: { LOG_LEVEL: 'warn' }, say });
  const about = join(directory, 'filled.json');
  const known = await readFile(about, 'utf8').then(JSON.parse, () => undefined);
  if (known === undefined) {
    await mkdir(directory, { recursive: true, mode: 0o711 });
    const made = await start(); // makes the database and its first keys
    await made.stop();
    await writeFile(about, JSON.stringify({ rows, days, ...(await fill({ rows, days, directory, say })) }));
  } else if (known.rows !== rows || known.days !== days) {
    throw new Error(`${directory} was filled with ${known.rows} rows in ${known.days} days. Give another directory.`);
  }
  const { filled, from, to, seconds } = JSON.parse(await readFile(about, 'utf8'));
  const stack = await start();
  const database = openDatabase(stack.databaseUrl, 4);
  const settledAt = performance.now();
  await untilSettled(database, say);
  const stop = async () => {
    await database.$disconnect();
    await stack.stop();
  };
  const trail = { filled, from: new Date(from), to: new Date(to), fillSeconds: seconds, settleSeconds: (performance.now() - settledAt) / 1000 };
  return { api: stack.api, database, trail, stop };
}

/** With nothing else on the database, so that nobody has looked past what is yet to be filled in. */
async function fill({ rows, days, directory, say }) {
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  const database = openDatabase(postgres.url, 1);
  try {
    const startedAt = performance.now();
    await database.$executeRawUnsafe("ALTER SYSTEM SET max_wal_size = '8GB'");
    await database.$executeRawUnsafe('SELECT pg_reload_conf()');
    await database.$executeRawUnsafe("SET maintenance_work_mem = '512MB'");
    await fillAgents(database);
    const { filled, from } = await fillTrail(database, { rows, days, say });
    await database.$executeRawUnsafe('ALTER SYSTEM RESET max_wal_size');
    await database.$executeRawUnsafe('CHECKPOINT');
    return { filled, from, to: new Date(), seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    await database.$disconnect();
    await postgres.stop();
  }
}

/** The agents of the trail, of a few owners, and a small and a large group of them. */
async function fillAgents(database) {
  await database.$executeRawUnsafe(`INSERT INTO agent (id, slug, name, owner, updated_at)
    SELECT ${uuidOf("'agent-' || a")}, 'agent-' || a, 'Agent ' || a, 'owner-' || a % 40, now() FROM generate_series(0, 999) a`);
  await database.$executeRawUnsafe(`INSERT INTO agent_group (id, slug, name) VALUES
    (${uuidOf("'few'")}, 'few', 'Ten agents'), (${uuidOf("'many'")}, 'many', 'Two hundred agents')`);
  await database.$executeRawUnsafe(`INSERT INTO agent_group_member (group_id, agent_id)
    SELECT ${uuidOf("'few'")}, ${uuidOf("'agent-' || a * 90")} FROM generate_series(1, 10) a
    UNION ALL SELECT ${uuidOf("'many'")}, ${uuidOf("'agent-' || a * 5")} FROM generate_series(0, 199) a`);
}

async function untilSettled(database, say) {
  for (let before; ;) {
    const [left] = await database.$queryRawUnsafe(`SELECT EXISTS (SELECT FROM audit_event WHERE node LIKE 'bench-%'
        AND stored_tx >= greatest(0, coalesce((SELECT max(tx_through) FROM audit_block), 0))) AS sealing,
      EXISTS (SELECT FROM audit_event WHERE node LIKE 'bench-%' AND stored_tx >= (SELECT least(a.stored_tx, s.stored_tx) FROM alert_cursor a, call_sum_cursor s)) AS counting,
      (SELECT coalesce(sum(events), 0)::int FROM audit_block) AS sealed, (SELECT stored_tx FROM alert_cursor) AS counted, (SELECT stored_tx FROM call_sum_cursor) AS summed`);
    if (!left.sealing && !left.counting) return;
    const now = `${left.sealed.toLocaleString('en')} rows sealed, counted up to transaction ${left.counted}, summed up to ${left.summed}`;
    if (now !== before) say(now);
    before = now;
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  }
}
