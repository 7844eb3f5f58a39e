const CALLS_AT_ONCE = 200_000;
const DAY_MS = 86_400_000;

/** What the rows are like: 1,000 agents of which the first are the busiest, 300 servers with 20 tools, 2 % refused, 1 % failed, half traced. */
const COLUMNS = `day, node, boot, seq, id, call_id, phase, at, method, agent, key_id, server, tool, definition_hash, decision, reason, epoch, revision, status,
  duration_us, upstream_us, era, trace_id, arguments_hash, arguments_bytes, arguments, result_hash, result_bytes, result_summary`;
const CALL = `SELECT n, ms, to_timestamp(ms / 1000.0) AS at, (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid AS call_id,
    'agent-' || floor(1000 * power(random(), 3)) AS agent, 'server-' || n % 300 AS server, 'tool_' || (n / 7) % 20 AS tool,
    CASE WHEN n % 50 = 0 THEN 'denied' WHEN n % 100 = 1 THEN 'timeout' ELSE 'success' END AS ended, (exp(random() * 8) * 1000)::bigint AS us,
    convert_to(format('{"query":"%s","path":"/srv/%s","limit":%s}', md5('a' || n), md5('b' || n), n % 100), 'UTF8') AS arguments,
    convert_to(format('{"content":[{"type":"text","text":"%s %s %s"}]}', md5('c' || n), md5('d' || n), md5('e' || n)), 'UTF8') AS result
  FROM (SELECT n, $1::bigint + (n * $2::float8)::bigint AS ms FROM generate_series($3::bigint, $4::bigint) n) calls`;

/** Fills so many rows into the trail, oldest first, over the `days` before now. Returns how many there are and when the first call began. */
export async function fillTrail(database, { rows, days, say }) {
  const calls = Math.ceil(rows / 1.98);
  const from = Date.now() - days * DAY_MS;
  for (let day = 0; day <= days + 1; day += 1) {
    const date = new Date(from + day * DAY_MS).toISOString().slice(0, 10);
    await database.$executeRawUnsafe(`SELECT audit_ensure_day('${date}'::date)`);
  }
  const everyMs = (days * DAY_MS) / calls;
  let filled = 0;
  for (let first = 0; first < calls; first += CALLS_AT_ONCE) {
    filled += await database.$executeRawUnsafe(insert(), from, everyMs, first, Math.min(first + CALLS_AT_ONCE, calls) - 1);
    say(`${filled.toLocaleString('en')} rows`);
  }
  await database.$executeRawUnsafe('VACUUM (ANALYZE) audit_event');
  return { filled, from: new Date(from) };
}

const insert = () => `WITH calls AS MATERIALIZED (${CALL})
  INSERT INTO audit_event (${COLUMNS})
  SELECT (at AT TIME ZONE 'UTC')::date, 'node-' || n % 3, '00000000-0000-7000-8000-000000000000'::uuid, n * 2 + CASE phase WHEN 'outcome' THEN 2 ELSE 1 END,
    CASE WHEN phase = 'single' THEN call_id ELSE gen_random_uuid() END, call_id, phase, at, 'tools/call', agent, 'key-' || agent, server, tool, md5(tool),
    CASE ended WHEN 'denied' THEN 'deny' ELSE 'allow' END, CASE ended WHEN 'denied' THEN 'policy.denied' END, 1, (n / 10000)::int,
    CASE phase WHEN 'intent' THEN 'pending' ELSE ended END, CASE WHEN phase <> 'intent' THEN us END, CASE phase WHEN 'outcome' THEN us * 9 / 10 END, 'modern',
    CASE WHEN n % 2 = 0 THEN md5('t' || n / 8) END, CASE WHEN phase <> 'outcome' THEN md5(arguments) END, CASE WHEN phase <> 'outcome' THEN length(arguments) END,
    CASE WHEN phase <> 'outcome' THEN arguments END, CASE phase WHEN 'outcome' THEN md5(result) END, CASE phase WHEN 'outcome' THEN length(result) END,
    CASE phase WHEN 'outcome' THEN result END
  FROM calls, unnest(CASE ended WHEN 'denied' THEN ARRAY['single'] ELSE ARRAY['intent', 'outcome'] END) phase`;
