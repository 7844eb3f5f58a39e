import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { Wake } from '../background/wake.js';

const LIVE_MS = 10_000;
/** What is reported to another control plane, and that a node is dead by now, is found so late at the most. */
const LOOK_MS = 250;

/** Waits until the nodes serve a revision. A node that has not reported for ten seconds is not waited for. */
@Injectable()
export class AppliedEverywhere {
  private readonly waiting = new Set<Wake>();

  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** A node has told this process that it serves another revision than before. */
  reported(): void {
    for (const wake of this.waiting) wake.ring();
  }

  /** The names of the nodes that lag when patience ends; none, and at once, when all live nodes have it. */
  async wait(revision: number, patienceMs: number, lookMs = LOOK_MS): Promise<readonly string[]> {
    const end = performance.now() + patienceMs;
    // A new epoch may begin with a lower number than nodes have: theirs is of the past all the same.
    const { epoch } = await this.database.policyState.findUniqueOrThrow({ where: { id: 1 }, select: { epoch: true } });
    const wake = new Wake();
    this.waiting.add(wake);
    try {
      for (;;) {
        const lagging = await this.lagging(epoch, revision);
        const restMs = end - performance.now();
        if (lagging.length === 0 || restMs <= 0) return lagging;
        await wake.within(Math.min(restMs, lookMs));
        wake.forget();
      }
    } finally {
      this.waiting.delete(wake);
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
