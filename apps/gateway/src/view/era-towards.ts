import type { ServerEntry } from '@portcullis/contracts/snapshot';
import type { Era } from '@portcullis/mcp';

/** The era in which a server is spoken to for an agent of this one: its own where the server speaks both, so that nothing need be carried over. */
export const eraTowards = ({ era, bothEras }: Pick<ServerEntry, 'era' | 'bothEras'>, agentEra: Era): Era =>
  bothEras === true ? agentEra : (era ?? 'legacy');
