const DAY_MS = 86_400_000;
/** The worker stores some thousand rows in a transaction. */
const CALLS_A_TRANSACTION = 500;

/** SQL: always the same UUID for a name, marked as one made at random (RFC 9562, version 4), since policy takes no other. */
export const uuidOf = (name) => `overlay(overlay(md5(${name}) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid`;

/**
 * What the rows are like: 1,000 agents of which the first are the busiest, each with a dozen tools, mostly its first ones; 300 servers with 20 tools;
 * three nodes; 4 % lists, 2 % refused, 1 % failed, half traced. Their hashes are made up: sealing reads them like any, verifying would refuse them.
 */
const COLUMNS = `day, node, boot, seq, id, call_id, phase, at, method, agent_id, agent, key_id, server_id, server, tool, definition_hash, decision, reason, epoch,
  revision, status, duration_us, upstream_us, era, trace_id, arguments_hash, arguments_bytes, arguments, result_hash, result_bytes, result_summary, hash, stored_tx`;
const DRAWN = `SELECT n, n / 3 AS k, ms, to_timestamp(ms / 1000.0) AS at, floor(1000 * power(random(), 3))::int AS a, floor(12 * power(random(), 2))::int AS pair,
    (exp(random() * 8) * 1000)::bigint AS us, CASE WHEN (n / 3) % 50 = 0 THEN 'denied' WHEN (n / 3) % 25 = 3 THEN 'listed' WHEN n % 100 = 1 THEN 'timeout'
      WHEN n % 150 = 2 THEN 'tool_error' ELSE 'success' END AS ended
  FROM (SELECT n, $1::bigint + (n * $2::float8)::bigint AS ms FROM generate_series($3::bigint, $4::bigint) n) numbered`;
/** What an agent calls as its `pair`th tool. */
const NAMED = `SELECT drawn.*, 'agent-' || a AS agent, CASE WHEN ended <> 'listed' THEN 'server-' || (a * 13 + pair * 7) % 300 END AS server,
    CASE WHEN ended <> 'listed' THEN 'tool_' || (a + pair * 3) % 20 END AS tool,
    (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid AS call_id,
    convert_to(format('{"query":"%s","path":"/srv/%s","limit":%s}', md5('a' || n), md5('b' || n), n % 100), 'UTF8') AS arguments,
    convert_to(format('{"content":[{"type":"text","text":"%s %s %s"}]}', md5('c' || n), md5('d' || n), md5('e' || n)), 'UTF8') AS result
  FROM drawn`;
/** Numbers of a node's events have no holes: what it refused and listed are one row, everything else is two. */
const FIRST_SEQ = '2 * k - (k + 49) / 50 - (k + 21) / 25 + 1';

/**
 * Fills about so many rows into the trail, oldest first, over the `days` before now, on a database that nothing else uses. Each day is a table that becomes
 * a partition once it is full, so that its indexes are built at once. Returns how many rows there are and when the first call began.
 */
export async function fillTrail(database, { rows, days, say }) {
  const calls = Math.ceil(rows / 1.94);
  const from = Date.now() - days * DAY_MS;
  const everyMs = (days * DAY_MS) / calls;
  const firstTx = await spendTransactions(database, Math.ceil(calls / CALLS_A_TRANSACTION));
  let filled = 0;
  for (let first = 0; first < calls;) {
    const startMs = from + first * everyMs;
    const date = new Date(startMs).toISOString().slice(0, 10);
    const next = Math.min(calls, Math.ceil((Date.parse(date) + DAY_MS - from) / everyMs));
    filled += await fillDay(database, date, [from, everyMs, first, next - 1, firstTx]);
    say(`${filled.toLocaleString('en')} rows`);
    first = next;
  }
  await database.$executeRawUnsafe(`INSERT INTO audit_range (node, boot, first_seq, last_seq)
    SELECT node, boot, 1, max(seq) FROM audit_event WHERE node LIKE 'bench-%' GROUP BY node, boot ON CONFLICT DO NOTHING`);
  await database.$executeRawUnsafe('ANALYZE audit_event');
  return { filled, from: new Date(from) };
}

/** So many transactions that others seem to have stored rows in. Returns the first of them. */
async function spendTransactions(database, count) {
  const [{ tx }] = await database.$queryRawUnsafe('SELECT pg_current_xact_id()::text::bigint + 1 AS tx');
  await database.$executeRawUnsafe(`DO $$ BEGIN FOR i IN 1..${count} LOOP
    PERFORM set_config('synchronous_commit', 'off', true), pg_current_xact_id(); COMMIT; END LOOP; END $$`);
  return tx;
}

async function fillDay(database, date, [from, everyMs, first, last, firstTx]) {
  const name = `audit_days.day_${date.replaceAll('-', '')}`;
  const [{ exists }] = await database.$queryRawUnsafe(`SELECT to_regclass('${name}') IS NOT NULL AS exists`);
  // Today's may hold what operators did while the stack was made.
  const table = exists ? 'audit_event' : name;
  if (!exists) {
    await database.$executeRawUnsafe(`CREATE TABLE ${name} (LIKE audit_event INCLUDING DEFAULTS, CHECK (day = '${date}'))`);
  }
  const filled = await database.$executeRawUnsafe(insertInto(table), from, everyMs, first, last, firstTx);
  if (!exists) {
    await database.$executeRawUnsafe(`ALTER TABLE audit_event ATTACH PARTITION ${name} FOR VALUES FROM ('${date}') TO (date '${date}' + 1)`);
    await database.$executeRawUnsafe(`ALTER TABLE ${name} DROP CONSTRAINT day_${date.replaceAll('-', '')}_day_check`);
    await database.$executeRawUnsafe(
      `CREATE TRIGGER audit_append_only_whole BEFORE TRUNCATE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()`,
    );
  }
  await database.$executeRawUnsafe(`VACUUM ${name}`);
  return filled;
}

const insertInto = (table) => `WITH drawn AS MATERIALIZED (${DRAWN}), calls AS (${NAMED})
  INSERT INTO ${table} (${COLUMNS})
  SELECT (at AT TIME ZONE 'UTC')::date, 'bench-' || n % 3, '00000000-0000-7000-8000-000000000000'::uuid, ${FIRST_SEQ} + CASE phase WHEN 'outcome' THEN 1 ELSE 0 END,
    CASE WHEN phase = 'single' THEN call_id ELSE gen_random_uuid() END, call_id, phase, at, CASE ended WHEN 'listed' THEN 'tools/list' ELSE 'tools/call' END,
    ${uuidOf('agent')}, agent, 'key-' || agent, ${uuidOf('server')}, server, tool, md5(tool),
    CASE ended WHEN 'denied' THEN 'deny' WHEN 'listed' THEN 'none' ELSE 'allow' END, CASE ended WHEN 'denied' THEN 'policy.denied' END, 1, (n / 10000)::int,
    CASE WHEN phase = 'intent' THEN 'pending' WHEN ended = 'listed' THEN 'success' ELSE ended END, CASE WHEN phase <> 'intent' THEN us END,
    CASE phase WHEN 'outcome' THEN us * 9 / 10 END, 'modern',
    CASE WHEN n % 2 = 0 THEN md5('t' || n / 8) END, CASE WHEN phase <> 'outcome' AND ended <> 'listed' THEN md5(arguments) END,
    CASE WHEN phase <> 'outcome' AND ended <> 'listed' THEN length(arguments) END, CASE WHEN phase <> 'outcome' AND ended <> 'listed' THEN arguments END,
    CASE phase WHEN 'outcome' THEN md5(result) END, CASE phase WHEN 'outcome' THEN length(result) END, CASE phase WHEN 'outcome' THEN result END,
    sha256(convert_to(phase || n, 'UTF8')), $5::bigint + n / ${CALLS_A_TRANSACTION}
  FROM calls, unnest(CASE WHEN ended IN ('denied', 'listed') THEN ARRAY['single'] ELSE ARRAY['intent', 'outcome'] END) phase ORDER BY n`;
