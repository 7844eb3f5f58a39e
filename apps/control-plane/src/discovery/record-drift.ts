import type { DefinitionKind, DefinitionState, Server, Transaction } from '@portcullis/database';
import type { DriftKind } from '@portcullis/contracts/api/drift';

/** A change that a server made, as a discovery saw it. */
export interface SeenChange {
  readonly change: DriftKind;
  readonly definitionId?: string;
  readonly kind?: DefinitionKind;
  readonly name?: string;
  readonly state?: DefinitionState;
  readonly beforeHash?: string;
  readonly afterHash?: string;
  readonly beforeJson?: Uint8Array<ArrayBuffer>;
  readonly afterJson?: Uint8Array<ArrayBuffer>;
}

const DAY_MS = 86_400_000;
export const TLS_KEY = 'tls_key' satisfies DriftKind;

/**
 * What of a discovery is drift. What a server offers when it is first seen, at its first address or another, is none, unless it differs from what an
 * operator has already approved.
 */
export function driftOf({ driftCountedSince }: Pick<Server, 'driftCountedSince'>, seen: readonly SeenChange[]): readonly SeenChange[] {
  return driftCountedSince === null ? seen.filter(({ change }) => change === 'changed') : seen;
}

/** Writes the changes into the history. What nobody had decided on of the same definitions is superseded. */
export async function recordDrift(tx: Transaction, { id, slug }: Pick<Server, 'id' | 'slug'>, drift: readonly SeenChange[], at: Date): Promise<void> {
  if (drift.length === 0) return;
  const definitions = drift.flatMap(({ definitionId }) => definitionId ?? []);
  await tx.definitionChange.updateMany({
    where: { definitionId: { in: definitions }, decision: null },
    data: { decision: 'superseded', decidedAt: at },
  });
  await tx.definitionChange.createMany({ data: drift.map((change) => ({ ...change, at, serverId: id, server: slug })) });
}

/** How many changes of the server count against its budget: those of the last 24 hours, since it was first seen or last resumed. Servers behind one
 * address may each have a key, so another key is none of them. */
export async function driftWithinDay(tx: Transaction, server: Pick<Server, 'id' | 'driftCountedSince'>, now: Date): Promise<number> {
  const day = new Date(now.getTime() - DAY_MS);
  const since = server.driftCountedSince !== null && server.driftCountedSince > day ? server.driftCountedSince : day;
  return tx.definitionChange.count({ where: { serverId: server.id, at: { gt: since }, change: { not: TLS_KEY } } });
}
