import type { TargetKind } from '@portcullis/contracts/names';
import type { AccessRequest, Transaction } from '@portcullis/database';
import { countFiledSince, insertRequest, lockFiling, openRequests } from './access-requests.repository.js';
import { plainReason } from './plain-reason.js';

/** So many requests of one agent may wait for a decision. */
const OPEN_MAX = 5;
const UNDECIDED_DAYS = 7;
/** Decided, withdrawn or open: so many requests an agent may file in an hour. */
const FILED_PER_HOUR_MAX = 20;
const HOUR_MS = 3_600_000;

/** What is asked for, with agent and server known to exist. */
export interface Asked {
  readonly agent: { readonly id: string; readonly slug: string };
  readonly server: { readonly id: string; readonly slug: string };
  readonly kind: TargetKind;
  readonly names: readonly string[];
  readonly durationSeconds: number;
  readonly reason: string;
  /** Null: the agent itself. */
  readonly filedBy: string | null;
}

export type Filed = { readonly row: AccessRequest; readonly isNew: boolean } | 'too_many_open' | 'too_often';

/** Files a request, or gives the open one that asks for the same. */
export async function fileRequest(tx: Transaction, asked: Asked): Promise<Filed> {
  const { agent, server, kind, durationSeconds, filedBy } = asked;
  await lockFiling(tx, agent.id);
  const open = await openRequests(tx, agent.id);
  const names = [...new Set(asked.names)].sort();
  const alike = open.find((one) => one.serverId === server.id && one.kind === kind && JSON.stringify(one.names) === JSON.stringify(names));
  if (alike !== undefined) return { row: alike, isNew: false };
  if (open.length >= OPEN_MAX) return 'too_many_open';
  const now = Date.now();
  if (filedBy === null && (await countFiledSince(tx, agent.id, new Date(now - HOUR_MS))) >= FILED_PER_HOUR_MAX) return 'too_often';
  const row = await insertRequest(tx, {
    agentId: agent.id,
    agent: agent.slug,
    serverId: server.id,
    server: server.slug,
    kind,
    names,
    durationSeconds,
    reason: plainReason(asked.reason),
    filedBy,
    expiresAt: new Date(now + UNDECIDED_DAYS * 86_400_000),
  });
  return { row, isNew: true };
}

/** What the trail keeps of a request. */
export const describedRequest = ({ agent, server, kind, names, durationSeconds, reason }: AccessRequest) => ({
  agent,
  server,
  kind,
  names,
  durationSeconds,
  reason,
});
