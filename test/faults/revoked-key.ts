import { setTimeout as pause } from 'node:timers/promises';
import { sendMcp } from '../e2e/raw-mcp.js';
import { type Laboratory, NODES } from './laboratory.js';
import { until } from './until.js';

/** Nodes that hear of it neither from Redis nor at once from the control plane ask that regularly. */
const ACCEPTED_MS_MAX = 15_000;
const ASK_EVERY_MS = 250;
/** A control plane whose Postgres is gone can neither revoke anything nor publish what was revoked. */
const REVOKED_WITHIN_MS = 900_000;

/** A key that is revoked in the middle of a fault. */
export interface RevokedKey {
  /** Once nothing is disturbed any more: which nodes took it for longer than they may (O6). */
  verdict(): Promise<string[]>;
}

/** Uses a key of its own at every node, again and again, revokes it meanwhile, and notes which node took it when. */
export async function revokeMeanwhile(lab: Laboratory): Promise<RevokedKey> {
  const api = await lab.api;
  const { key, id } = (await api.agents.createKey('crowd', {}, { wait: 'all' })).value;
  const acceptedAt = new Map<string, number>();
  let revokedAt: number | undefined;
  let isOver = false;
  const isAccepted = async (node: (typeof NODES)[number]): Promise<boolean> => {
    const { status } = await sendMcp(lab.mcpUrlOf(node), { key, era: 'modern', method: 'tools/list', signal: AbortSignal.timeout(5000) });
    if (status === 200) acceptedAt.set(node, performance.now());
    if (status !== 200 && status !== 401) throw new Error(`${node} answered ${status}`);
    return status === 200;
  };
  const use = async (node: (typeof NODES)[number]): Promise<void> => {
    while (!isOver) {
      await isAccepted(node).catch(() => undefined);
      await pause(ASK_EVERY_MS);
    }
  };
  const using = Promise.all(NODES.map(use));
  const revoking = until(
    'the key is revoked',
    async () => {
      await api.agents.revokeKey('crowd', id);
      revokedAt = performance.now();
      return true;
    },
    REVOKED_WITHIN_MS,
  );
  const verdict = async (): Promise<string[]> => {
    await revoking;
    const refused = until('every node refuses the key', async () => !(await Promise.all(NODES.map(isAccepted))).includes(true));
    const wrong = await refused.then(
      (): string[] => [],
      (error: unknown) => [`O6: ${String(error)}`],
    );
    isOver = true;
    await using;
    for (const [node, at] of acceptedAt) {
      const from = revokedAt ?? at;
      // What is revoked just before Postgres dies is published when it is back.
      const lateMs = Math.round(at - from - lab.postgres.goneMs(from, at));
      if (lateMs > ACCEPTED_MS_MAX) wrong.push(`O6: ${node} took a revoked key for ${lateMs} ms`);
    }
    return wrong;
  };
  return { verdict };
}
