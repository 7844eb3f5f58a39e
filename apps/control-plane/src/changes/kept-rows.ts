import type { Transaction } from '@portcullis/database';

// What a server offers is a fact that discovery finds again; keeping it row by row would keep every definition twice.
const factsAlone: ReadonlySet<string> = new Set(['server.discovered']);

/** From here on to the end of the transaction the database keeps, row by row, what the revision does to policy. */
export async function keepRows(tx: Transaction, revision: number, action: string): Promise<void> {
  if (factsAlone.has(action)) return;
  await tx.$queryRaw`SELECT set_config('portcullis.revision', ${String(revision)}, true)`;
}

/** For a change that turned out to be none: rows that it touched without changing policy are not kept. */
export async function forgetRows(tx: Transaction, revision: number): Promise<void> {
  await tx.policyRowChange.deleteMany({ where: { revision } });
}
