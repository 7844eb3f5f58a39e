/**
 * Registers a server with everything it offers approved and an agent that may use all of it, waits until every node knows, and gives the agent's
 * key. `protocol` is `auto`, `legacy` or `modern`.
 */
export async function grantEverything(api, { slug, url, protocol = 'auto', agent, kinds = ['tools', 'prompts', 'resources'] }) {
  await api.servers.create({ slug, url, protocol, approve: 'all' });
  const { finished, server } = await api.servers.discover(slug, { waitSeconds: 60 });
  if (!finished || server.discovery.status !== 'ok') throw new Error(`Discovery of ${url}: ${server.discovery.error ?? 'not finished'}`);
  await api.agents.create({ slug: agent });
  for (const kind of kinds) await api.grants.create({ agent, server: slug, kind, names: ['*'] });
  const { value } = await api.agents.createKey(agent, {}, { wait: 'all' });
  return value.key;
}
