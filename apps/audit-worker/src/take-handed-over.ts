import type { Logger } from '@portcullis/boot';
import type { PrismaClient } from '@portcullis/database';
import type { Intake } from './intake.js';

const EVERY_MS = 1000;
const BATCHES_AT_ONCE = 16;
/** A turn that takes longer is given up and made again: what it stored is stored once. */
const TURN_MS_MAX = 60_000;

interface Waiting {
  readonly id: bigint;
  readonly batch: Uint8Array;
}

/**
 * Stores the batches that nodes brought to the control plane while Redis took none. Each of several workers takes others. What cannot be stored, such as
 * what only a newer worker reads, stays and costs no other. `close` waits for what is under way.
 */
export function takeHandedOver(database: PrismaClient, intake: Intake, logger: Logger): { close(): Promise<void> } {
  let isClosing = false;
  let timer: NodeJS.Timeout | undefined;
  /** Behind which the next are taken: however many cannot be stored, those behind them have their turn. */
  let after = 0n;
  const turn = async (): Promise<void> => {
    const taken = await takeSome(database, intake, after).catch((error: unknown) => {
      logger.debug({ err: error }, 'What was handed over could not be stored yet');
      return { after: 0n, isMore: false };
    });
    after = taken.after;
    if (!isClosing) schedule(taken.isMore ? 0 : EVERY_MS);
  };
  let running = Promise.resolve();
  const schedule = (ms: number): void => {
    timer = setTimeout(() => {
      running = turn();
    }, ms);
  };
  schedule(EVERY_MS);
  const close = async (): Promise<void> => {
    isClosing = true;
    clearTimeout(timer);
    await running;
  };
  return { close };
}

/** Says whether there may be more at once, and where to go on; 0 is the beginning. */
async function takeSome(database: PrismaClient, intake: Intake, after: bigint): Promise<{ readonly after: bigint; readonly isMore: boolean }> {
  return database.$transaction(
    async (tx) => {
      const waiting = await tx.$queryRaw<Waiting[]>`
        SELECT id, batch FROM audit_handover WHERE id > ${after} ORDER BY id LIMIT ${BATCHES_AT_ONCE} FOR UPDATE SKIP LOCKED`;
      const taken = await Promise.allSettled(
        waiting.map(async ({ id, batch }) => {
          await intake(JSON.parse(Buffer.from(batch).toString()), `hand-over ${String(id)}`);
          return id;
        }),
      );
      const stored = taken.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      await tx.auditHandover.deleteMany({ where: { id: { in: stored } } });
      const last = waiting.length === BATCHES_AT_ONCE ? waiting.at(-1) : undefined;
      return { after: last?.id ?? 0n, isMore: stored.length === BATCHES_AT_ONCE };
    },
    { timeout: TURN_MS_MAX },
  );
}
