import type { ApiClient } from '@portcullis/api-client';

/** Registers a server, approves what it offers, and waits until discovery has seen that. */
export async function registerServer(api: ApiClient, slug: string, url: string): Promise<void> {
  await api.servers.create({ slug, url, approve: 'all' });
  await api.servers.discover(slug, { waitSeconds: 60 });
}

/** Makes an agent with a grant, and gives its key, which every node knows by then. */
export async function grantedAgent(api: ApiClient, { agent, ...grant }: { agent: string; server: string; names: string[] }): Promise<string> {
  await api.agents.create({ slug: agent });
  await api.grants.create({ agent, ...grant });
  return (await api.agents.createKey(agent, {}, { wait: 'all' })).value.key;
}
