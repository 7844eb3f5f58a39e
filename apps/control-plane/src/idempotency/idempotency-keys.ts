import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type IdempotencyKey as Row, type Transaction } from '@portcullis/database';
import { UnsealError } from '@portcullis/secrets';
import { z } from 'zod';
import type { BackgroundWork } from '../background/background-loop.js';
import type { Precondition } from '../changes/author.js';
import { ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';

/** For so long a key stands for the request that came with it first. */
const KEPT_HOURS = 24;
const FORGET_MS = 3_600_000;
/** Longer than any request takes: whoever began and did not end is gone. */
const LEASE_MINUTES = 5;

/** An answer as it is given again. */
const KeptAnswer = z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.unknown() });
export type KeptAnswer = z.infer<typeof KeptAnswer>;

const Sealed = z.object({ fingerprint: z.string(), answer: KeptAnswer.optional() });
type Sealed = z.infer<typeof Sealed>;

/** Whose key it is, and what it came with. */
export interface KeyedRequest {
  readonly operatorId: string;
  readonly key: string;
  /** Everything that makes the request what it is. */
  readonly text: string;
}

/** A request that is carried out now. What it changes says so in its own transaction, so that nothing is ever made twice. */
export class Attempt implements Precondition {
  constructor(
    readonly id: string,
    readonly fingerprint: string,
    readonly request: KeyedRequest,
  ) {}

  async hold(tx: Transaction): Promise<void> {
    const { count } = await tx.idempotencyKey.updateMany({ where: { attempt: this.id }, data: { isMade: true } });
    if (count === 0) throw new ProblemError('conflict', 'This took so long that the same request has begun anew.');
  }

  note(): Promise<void> {
    return Promise.resolve();
  }
}

/** Requests under an `Idempotency-Key`: each is carried out once a day, whoever sends it how often, and answered alike each time. */
@Injectable()
export class IdempotencyKeys implements BackgroundWork {
  readonly everyMs = FORGET_MS;
  readonly complaint = 'Old answers cannot be forgotten';

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  /** An attempt where the request is to be carried out, else what it was answered with. Refuses (409) a key of another request, and one under way. */
  async begin(request: KeyedRequest): Promise<Attempt | KeptAnswer> {
    const attempt = new Attempt(randomUUID(), createHash('sha256').update(request.text).digest('base64url'), request);
    if (await this.claim(attempt)) return attempt;
    const row = await this.find(request);
    // It ended between the two looks, and made nothing.
    if (row === null) throw new ProblemError('conflict', UNDER_WAY);
    const { fingerprint, answer } = this.opened(row);
    if (fingerprint !== attempt.fingerprint) throw new ProblemError('idempotency_key_reused', 'Take a new key for a new request.');
    if (answer !== undefined) return answer;
    throw new ProblemError('conflict', row.isMade && isOver(row) ? LOST : UNDER_WAY);
  }

  async keep(attempt: Attempt, answer: KeptAnswer): Promise<void> {
    const sealed = this.sealed(attempt.request, { fingerprint: attempt.fingerprint, answer });
    await this.database.idempotencyKey.updateMany({ where: { attempt: attempt.id }, data: { sealed, isAnswered: true } });
  }

  /** What was refused and changed nothing may be tried again under its key. */
  async giveUp(attempt: Attempt): Promise<void> {
    await this.database.idempotencyKey.deleteMany({ where: { attempt: attempt.id, isMade: false } });
  }

  /** Forgets what is old. */
  async turn(): Promise<void> {
    await this.database.$executeRaw`DELETE FROM idempotency_key WHERE started_at < clock_timestamp() - make_interval(hours => ${KEPT_HOURS}::int)`;
  }

  /** True where nobody has the key: it is new, of yesterday, or of somebody who made nothing and is gone. */
  private async claim({ id, fingerprint, request }: Attempt): Promise<boolean> {
    const sealed = this.sealed(request, { fingerprint });
    const rows = await this.database.$queryRaw<unknown[]>`
      INSERT INTO idempotency_key AS kept (operator_id, key, attempt, sealed) VALUES (${request.operatorId}, ${request.key}, ${id}::uuid, ${sealed})
      ON CONFLICT (operator_id, key) DO UPDATE
        SET attempt = excluded.attempt, sealed = excluded.sealed, started_at = clock_timestamp(), is_made = false, is_answered = false
        WHERE kept.started_at < clock_timestamp() - make_interval(hours => ${KEPT_HOURS}::int)
          OR NOT kept.is_made AND NOT kept.is_answered AND kept.started_at < clock_timestamp() - make_interval(mins => ${LEASE_MINUTES}::int)
      RETURNING 1`;
    return rows.length > 0;
  }

  private async find({ operatorId, key }: KeyedRequest): Promise<Row | null> {
    return this.database.idempotencyKey.findUnique({ where: { operatorId_key: { operatorId, key } } });
  }

  private sealed(request: KeyedRequest, content: Sealed): string {
    return this.keys.sealer().seal(JSON.stringify(content), placeOf(request));
  }

  private opened(row: Row): Sealed {
    try {
      return Sealed.parse(JSON.parse(this.keys.sealer().open(row.sealed, placeOf(row)).toString('utf8')));
    } catch (error) {
      if (!(error instanceof UnsealError)) throw error;
      throw new ProblemError('conflict', LOST, [], { cause: error });
    }
  }
}

const UNDER_WAY = 'A request with this Idempotency-Key is under way. Ask again in a moment.';
const LOST = 'What this Idempotency-Key came with was done, but its answer is lost. Look at what there is now.';

const isOver = ({ startedAt }: Row): boolean => startedAt.getTime() < Date.now() - LEASE_MINUTES * 60_000;

const placeOf = ({ operatorId, key }: Pick<Row, 'operatorId' | 'key'>): string => `idempotency_key|${operatorId}|${key}`;
