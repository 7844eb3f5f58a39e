import type { Transaction } from '@portcullis/database';

/** For how long an agent counts as its owner's after it has been given away. */
const OWNED_DAYS = 30;

export interface OwnedAgent {
  readonly id: string;
  readonly slug: string;
}

/** The agents that whoever is called so owns, or owned in the last 30 days. Names of owners and operators are compared without regard to case. */
export async function ownedAgents(tx: Transaction, operator: readonly string[]): Promise<OwnedAgent[]> {
  return tx.$queryRaw<OwnedAgent[]>`SELECT DISTINCT agent.id::text AS id, agent.slug FROM agent_ownership AS owned
    JOIN agent ON agent.slug = owned.agent_slug
    WHERE owned.owner IN (SELECT lower(name) FROM unnest(${[...operator]}::text[]) AS name) AND (owned.until IS NULL OR owned.until > now() - make_interval(days => ${OWNED_DAYS}))
    ORDER BY agent.slug`;
}

/** Whether the operator is among those whom the agent's owner text names now. */
export async function isOwnedBy(tx: Transaction, agentSlug: string, operator: string): Promise<boolean> {
  const rows = await tx.$queryRaw<
    unknown[]
  >`SELECT 1 FROM agent_ownership WHERE agent_slug = ${agentSlug} AND owner = lower(${operator}) AND until IS NULL`;
  return rows.length > 0;
}
