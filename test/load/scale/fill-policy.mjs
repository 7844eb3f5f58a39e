/** One server's tool in about 1 KiB of JSON, of text that does not repeat. */
const TOOL_JSON = `format('{"name":"tool_%s","description":"%s","inputSchema":{"type":"object","properties":{"query":{"type":"string","description":"%s"},"limit":{"type":"integer","minimum":1,"maximum":100}},"required":["query"],"additionalProperties":false}}',
  tool, (SELECT string_agg(md5(server.id::text || tool || part), ' ') FROM generate_series(1, 17) part), (SELECT string_agg(md5(server.id::text || part || tool), ' ') FROM generate_series(1, 7) part))`;

/**
 * Adds servers with ten approved tools each, agents with a key, a group of a hundred and three grants each, and their groups' grants, straight into
 * Postgres, as one revision. `from` counts on from what was added before.
 */
export async function fillPolicy(database, { servers, agents }, from = { servers: 0, agents: 0 }) {
  const run = (statement) => database.$executeRawUnsafe(statement);
  const some = (count, start) => `generate_series(${start}, ${start + count - 1})`;
  await run(`INSERT INTO server (id, slug, name, url, era, tags, updated_at)
    SELECT gen_random_uuid(), 'scale-' || n, 'Server ' || n, 'http://127.0.0.1:1/mcp', 'modern', ARRAY['team-' || n % 50], now() FROM ${some(servers, from.servers)} n`);
  const fresh = `server.slug LIKE 'scale-%' AND substr(server.slug, 7)::int >= ${from.servers}`;
  await run(`INSERT INTO definition (id, server_id, kind, name, state, json, hash, approved_json, approved_hash)
    SELECT gen_random_uuid(), made.id, 'tool', 'tool_' || made.tool, 'approved', made.json, encode(sha256(made.json), 'hex'), made.json, encode(sha256(made.json), 'hex')
    FROM (SELECT server.id, tool, convert_to(${TOOL_JSON}, 'UTF8') AS json FROM server, generate_series(1, 10) tool WHERE ${fresh}) made`);
  await run(`INSERT INTO agent_group (id, slug, name)
    SELECT gen_random_uuid(), 'scale-group-' || n, 'Group ' || n FROM ${some(Math.ceil(agents / 100), Math.floor(from.agents / 100))} n ON CONFLICT DO NOTHING`);
  await run(`INSERT INTO agent (id, slug, name, owner, updated_at)
    SELECT gen_random_uuid(), 'scale-agent-' || n, 'Agent ' || n, 'owner-' || n % 500, now() FROM ${some(agents, from.agents)} n`);
  const freshAgents = `agent.slug LIKE 'scale-agent-%' AND substr(agent.slug, 13)::int >= ${from.agents}`;
  await run(
    `INSERT INTO agent_key (id, agent_id, hash, pepper_id) SELECT substr(md5(agent.id::text), 1, 16), agent.id, md5(agent.slug), 'none' FROM agent WHERE ${freshAgents}`,
  );
  await run(`INSERT INTO agent_group_member (group_id, agent_id)
    SELECT agent_group.id, agent.id FROM agent JOIN agent_group ON agent_group.slug = 'scale-group-' || substr(agent.slug, 13)::int / 100 WHERE ${freshAgents}`);
  const serverOf = (expression) => `JOIN server ON server.slug = 'scale-' || (${expression}) % ${from.servers + servers}`;
  await run(`INSERT INTO access_grant (id, agent_id, server_id, kind, names, effect, created_by, updated_at)
    SELECT gen_random_uuid(), agent.id, server.id, 'tools', ARRAY['tool_1', 'tool_' || 2 + n], 'allow', 'bench', now()
    FROM agent CROSS JOIN generate_series(1, 3) n ${serverOf('substr(agent.slug, 13)::int * 7 + n * 101')} WHERE ${freshAgents}`);
  await run(`INSERT INTO access_grant (id, group_id, server_id, kind, names, effect, created_by, updated_at)
    SELECT gen_random_uuid(), agent_group.id, server.id, 'tools', ARRAY['*'], 'allow', 'bench', now()
    FROM agent_group CROSS JOIN generate_series(1, 5) n ${serverOf('substr(agent_group.slug, 13)::int * 13 + n * 17')}
    WHERE agent_group.slug LIKE 'scale-group-%' AND NOT EXISTS (SELECT 1 FROM access_grant WHERE group_id = agent_group.id)`);
  await run('ANALYZE');
}

/** Makes one revision of what was filled in, with everything to be compiled again; gives its number. */
export async function reviseEverything(database) {
  return database.$transaction(async (tx) => {
    const [{ revision }] = await tx.$queryRawUnsafe('UPDATE policy_state SET revision = revision + 1 WHERE id = 1 RETURNING revision');
    await tx.$executeRawUnsafe(`INSERT INTO revision (revision, author, action, change) VALUES (${revision}, 'bench', 'bench.filled', '{}')`);
    await tx.$executeRawUnsafe(`INSERT INTO dirty_bucket (revision, kind, bucket)
      SELECT ${revision}, kind::chunk_kind, bucket FROM unnest(ARRAY['servers', 'agents', 'grants']) kind, generate_series(0, 1023) bucket`);
    return revision;
  });
}
