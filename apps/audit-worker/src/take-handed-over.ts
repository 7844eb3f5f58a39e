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

/** Stores the batches that nodes brought to the control plane while Redis took none. Each of several workers takes others. `close` waits for what is under way. */
export function takeHandedOver(database: PrismaClient, intake: Intake, logger: Logger): { close(): Promise<void> } {
  let isClosing = false;
  let timer: NodeJS.Timeout | undefined;
  const turn = async (): Promise<void> => {
    const isMore = await takeSome(database, intake).catch((error: unknown) => {
      logger.debug({ err: error }, 'What was handed over could not be stored yet');
      return false;
    });
    if (!isClosing) schedule(isMore ? 0 : EVERY_MS);
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

/** True where there may be more. What cannot be stored, such as what only a newer worker reads, stays and costs no other. */
async function takeSome(database: PrismaClient, intake: Intake): Promise<boolean> {
  return database.$transaction(
    async (tx) => {
      const waiting = await tx.$queryRaw<Waiting[]>`SELECT id, batch FROM audit_handover ORDER BY id LIMIT ${BATCHES_AT_ONCE} FOR UPDATE SKIP LOCKED`;
      if (waiting.length === 0) return false;
      const taken = await Promise.allSettled(
        waiting.map(async ({ id, batch }) => {
          await intake(JSON.parse(Buffer.from(batch).toString()), `hand-over ${String(id)}`);
          return id;
        }),
      );
      const stored = taken.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      await tx.auditHandover.deleteMany({ where: { id: { in: stored } } });
      return stored.length === BATCHES_AT_ONCE;
    },
    { timeout: TURN_MS_MAX },
  );
}
