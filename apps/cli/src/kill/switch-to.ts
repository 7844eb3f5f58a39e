import type { Connection } from '../connection.js';

interface Switched {
  readonly kind: 'agent' | 'server';
  readonly slug: string;
  readonly reason: string;
}

/** Switches an agent or a server on or off and waits until every live node has it; names those that did not say so in time. */
export async function switchTo(
  enabled: boolean,
  { kind, slug, reason }: Switched,
  { api }: Pick<Connection, 'api'>,
  print: (text: string) => void,
): Promise<void> {
  const change = { enabled, reason };
  const { revision, lagging = [] } = await (kind === 'agent'
    ? api.agents.update(slug, change, { wait: 'all' })
    : api.servers.update(slug, change, { wait: 'all' }));
  const state = enabled ? 'on' : 'off';
  const where = lagging.length === 0 ? 'on every node' : `but these nodes have not said so: ${lagging.join(', ')}`;
  print(`The ${kind} ${slug} is switched ${state} since revision ${String(revision)}, ${where}.`);
}
