import { closeSync, fchmodSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { hashBearer, newBearer } from '@portcullis/secrets';
import { inTransaction } from '../changes/in-transaction.js';
import { recordAction } from '../changes/record-action.js';
import { KeyRing } from '../keys/key-ring.js';

const NAME = 'admin';

/** Hands the first operator's token to whoever started the process. */
export type TokenOutlet = (token: string) => void;

/** The token in a file of mode 0600, or as one plain line on standard output: the log would mask it. */
export function tokenOutlet(file: string | undefined): TokenOutlet {
  if (file === undefined) return (token) => process.stdout.write(`Operator "${NAME}" was created. Its token, shown only now: ${token}\n`);
  return (token) => {
    const descriptor = openSync(file, 'w', 0o600);
    try {
      fchmodSync(descriptor, 0o600); // a file that was there keeps its own mode
      writeSync(descriptor, `${token}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  };
}

/** Where there is no operator yet, the first start makes one. */
@Injectable()
export class FirstOperator implements OnApplicationBootstrap {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject('TokenOutlet') private readonly outlet: TokenOutlet,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await inTransaction(this.database, async (tx) => {
      // Two control planes that start together must not make two.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('portcullis first operator'))`;
      if ((await tx.operator.count()) > 0) return;
      const { id: tokenId, secret, token } = newBearer('operator');
      const pepper = this.keys.currentPepper();
      const data = { id: tokenId, hash: hashBearer(pepper.key, secret), pepperId: pepper.id };
      const { id } = await tx.operator.create({ data: { name: NAME, role: 'admin', breakGlass: true, tokens: { create: data } } });
      const detail = { subject: { kind: 'operator', id, slug: NAME }, change: { role: 'admin', breakGlass: true, tokenId } };
      await recordAction(tx, { name: 'portcullis/first-start' }, { action: 'operator.created', detail });
      // Before the commit: a crash in between leaves a token that opens nothing, never an operator whose token nobody has.
      this.outlet(token);
    });
  }
}
