import type { PrismaClient, Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import { inTransaction } from '../changes/in-transaction.js';
import type { PolicyChange, PolicyChanges } from '../changes/policy-changes.js';
import { recordActions } from '../changes/record-action.js';
import { storeFindings, type FinishedDiscovery, type StoredFindings } from './store-findings.js';

const AUTHOR = { name: 'portcullis/discovery' };
const ACTION = 'server.discovered';
/** First sightings that share a revision, and the definitions that they may have together unless one alone has more. */
const TOGETHER_MAX = 50;
const DEFINITIONS_MAX = 2000;

interface Waiting {
  readonly finished: FinishedDiscovery;
  readonly resolve: (isStored: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes down what discoveries found. A server that is seen for the first time is always a change of policy, and changes of policy are made one after
 * the other: so what is found of such servers while one change is under way becomes the next, together.
 */
export class FindingsStore {
  private waiting: Waiting[] = [];
  private isStoring = false;

  constructor(
    private readonly database: PrismaClient,
    private readonly changes: PolicyChanges,
  ) {}

  /** Of a server that says it changed: most likely a change of policy, and the sooner it is made the better. False as `store` says. */
  async storeAnnounced(finished: FinishedDiscovery): Promise<boolean> {
    return (await this.change([finished]))[0] ?? false;
  }

  /** False when the server is gone, or has another address by now. */
  async store(finished: FinishedDiscovery): Promise<boolean> {
    try {
      // Most runs change nothing for agents: those do not queue for the lock that orders changes of policy.
      return await inTransaction(this.database, async (tx) => {
        const [stored] = await storeFindings(tx, [finished]);
        if (stored?.dirty !== undefined) throw new ConcernsPolicy(); // undone here, done again as a change of policy
        await recordDrifts(tx, [stored]);
        return stored?.isStored ?? false;
      });
    } catch (error) {
      if (!(error instanceof ConcernsPolicy)) throw error;
      return this.storeAnnounced(finished);
    }
  }

  /** The same for a server of which nothing was known. */
  async storeFirst(finished: FinishedDiscovery): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.waiting.push({ finished, resolve, reject });
    if (!this.isStoring) void this.storeWaiting();
    return promise;
  }

  private async storeWaiting(): Promise<void> {
    this.isStoring = true;
    while (this.waiting.length > 0) await this.storeTogether(this.takeSome());
    this.isStoring = false;
  }

  private takeSome(): Waiting[] {
    const servers = new Set<string>();
    let definitions = 0;
    const end = this.waiting.findIndex(({ finished: { serverId, findings } }, place) => {
      definitions += findings.definitions.length;
      const isFull = place === TOGETHER_MAX || (place > 0 && definitions > DEFINITIONS_MAX) || servers.has(serverId);
      servers.add(serverId);
      return isFull;
    });
    return this.waiting.splice(0, end === -1 ? this.waiting.length : end);
  }

  /** What cannot be stored must not keep out what was found beside it. Never rejects. */
  private async storeTogether(some: readonly Waiting[]): Promise<void> {
    try {
      const stored = await this.change(some.map(({ finished }) => finished));
      for (const [place, { resolve }] of some.entries()) resolve(stored[place] ?? false);
    } catch (error) {
      const [only] = some;
      if (some.length === 1) only?.reject(error);
      else for (const one of some) await this.storeTogether([one]);
    }
  }

  private async change(finished: readonly FinishedDiscovery[]): Promise<boolean[]> {
    const { result } = await this.changes.apply(AUTHOR, ACTION, undefined, async (tx) => {
      const stored = await storeFindings(tx, finished);
      await recordDrifts(tx, stored);
      return changeOf(stored);
    });
    return result;
  }
}

class ConcernsPolicy extends Error {}

/** A change of what waits for approval is no policy, and is on record all the same. */
async function recordDrifts(tx: Transaction, stored: readonly (StoredFindings | undefined)[]): Promise<void> {
  const alone = stored.flatMap((one) =>
    one?.told === undefined || one.dirty !== undefined ? [] : [{ ...one.told, reason: one.turnedOut?.reason ?? null }],
  );
  await recordActions(
    tx,
    AUTHOR,
    alone.map((detail) => ({ action: 'server.drifted', detail })),
  );
}

/** One revision. Of several servers each has an event of its own besides. */
function changeOf(stored: readonly StoredFindings[]): PolicyChange<boolean[]> {
  const result = stored.map(({ isStored }) => isStored);
  const changed = stored.flatMap(({ told, dirty, turnedOut }) => (told === undefined || dirty === undefined ? [] : [{ told, dirty, turnedOut }]));
  const [first] = changed;
  if (first === undefined) return { result, unchanged: true };
  if (changed.length === 1) return { result, ...first.told, dirty: first.dirty, ...(first.turnedOut && { turnedOut: first.turnedOut }) };
  return {
    result,
    subject: { kind: 'discovery', id: v7() },
    change: { servers: changed.map(({ told: { subject, change } }) => ({ id: subject.id, slug: subject.slug, ...change })) },
    dirty: changed.flatMap(({ dirty }) => dirty),
    also: changed.map(({ told, turnedOut }) => ({ action: turnedOut?.action ?? ACTION, detail: { ...told, reason: turnedOut?.reason ?? null } })),
  };
}
