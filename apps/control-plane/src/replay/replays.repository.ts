import { ReplayStatus, type CallReplay } from '@portcullis/contracts/api/replays';
import type { CallReplay as ReplayRow, Transaction } from '@portcullis/database';

const REPLAYS_SHOWN_MAX = 100;

/** The times this call was made again, newest first. */
export async function replaysOf(tx: Transaction, callId: string): Promise<CallReplay[]> {
  const rows = await tx.callReplay.findMany({ where: { replayOf: callId }, orderBy: { id: 'desc' }, take: REPLAYS_SHOWN_MAX });
  return rows.map(toReplay);
}

export const toReplay = ({ at, status, ...row }: ReplayRow): CallReplay => ({ ...row, at: at.toISOString(), status: ReplayStatus.parse(status) });
