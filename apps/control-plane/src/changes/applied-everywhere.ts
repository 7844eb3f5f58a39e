import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';

const LIVE_MS = 10_000;
const LOOK_MS = 20;

/** Waits until the nodes serve a revision. A node that has not reported for ten seconds is not waited for. */
@Injectable()
export class AppliedEverywhere {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** The names of the nodes that lag when patience ends; none, and at once, when all live nodes have it. */
  async wait(revision: number, patienceMs: number): Promise<readonly string[]> {
    const end = performance.now() + patienceMs;
    // A new epoch may begin with a lower number than nodes have: theirs is of the past all the same.
    const { epoch } = await this.database.policyState.findUniqueOrThrow({ where: { id: 1 }, select: { epoch: true } });
    for (;;) {
      const lagging = await this.lagging(epoch, revision);
      if (lagging.length === 0 || performance.now() > end) return lagging;
      await delay(LOOK_MS);
    }
  }

  private async lagging(epoch: number, revision: number): Promise<string[]> {
    const rows = await this.database.node.findMany({
      where: {
        lastSeenAt: { gt: new Date(Date.now() - LIVE_MS) },
        OR: [{ appliedRevision: null }, { epoch: null }, { epoch: { lt: epoch } }, { epoch, appliedRevision: { lt: revision } }],
      },
      select: { name: true },
      orderBy: { name: 'asc' },
    });
    return rows.map(({ name }) => name);
  }
}
