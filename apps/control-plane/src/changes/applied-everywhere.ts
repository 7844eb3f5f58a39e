import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { ProblemError } from '../http/problem.js';

const LIVE_MS = 10_000;
const LOOK_MS = 50;
const PATIENCE_MS = 20_000;

/** Waits until the nodes serve a revision. A node that has not reported for ten seconds is not waited for. */
@Injectable()
export class AppliedEverywhere {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** Refuses (503) when patience ends, naming the nodes that lag. The change itself stays committed. */
  async wait(revision: number, patienceMs = PATIENCE_MS): Promise<void> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const lagging = await this.lagging(revision);
      if (lagging.length === 0) return;
      if (performance.now() > end)
        throw new ProblemError('unavailable', `Revision ${revision} is committed, but not yet applied by: ${lagging.join(', ')}.`);
      await delay(LOOK_MS);
    }
  }

  private async lagging(revision: number): Promise<string[]> {
    const rows = await this.database.node.findMany({
      where: { lastSeenAt: { gt: new Date(Date.now() - LIVE_MS) }, OR: [{ appliedRevision: null }, { appliedRevision: { lt: revision } }] },
      select: { name: true },
      orderBy: { name: 'asc' },
    });
    return rows.map(({ name }) => name);
  }
}
