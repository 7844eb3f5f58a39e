import { Inject, Injectable } from '@nestjs/common';
import type { Transaction, Webhook } from '@portcullis/database';
import { UnsealError } from '@portcullis/secrets';
import { KeyRing } from '../keys/key-ring.js';

type Sealed = Pick<Webhook, 'id' | 'secret' | 'previousSecret' | 'previousUntil'>;

/** Secrets of webhooks: in the database sealed for their row, in the clear only where a message is signed. */
@Injectable()
export class WebhookSecrets {
  constructor(@Inject(KeyRing) private readonly keys: KeyRing) {}

  seal(id: string, secret: string): string {
    return this.keys.sealer().seal(secret, placeOf(id));
  }

  /** Those that sign now, the newest first. */
  signing({ id, secret, previousSecret, previousUntil }: Sealed): string[] {
    const sealer = this.keys.sealer();
    const isBoth = previousSecret !== null && previousUntil !== null && previousUntil.getTime() > Date.now();
    return [secret, ...(isBoth ? [previousSecret] : [])].map((sealed) => sealer.open(sealed, placeOf(id)).toString('utf8'));
  }

  /** Seals anew what was sealed before keys were rotated. What cannot be opened any more stays as it is. */
  async resealAll(tx: Transaction): Promise<void> {
    const sealer = this.keys.sealer();
    for (const { id, secret, previousSecret } of await tx.webhook.findMany({ select: { id: true, secret: true, previousSecret: true } })) {
      if ([secret, previousSecret].every((sealed) => sealed === null || sealer.isCurrent(sealed))) continue;
      const again = (sealed: string): string => sealer.seal(sealer.open(sealed, placeOf(id)), placeOf(id));
      try {
        const data = { secret: again(secret), previousSecret: previousSecret === null ? null : again(previousSecret) };
        await tx.webhook.update({ where: { id }, data });
      } catch (error) {
        if (!(error instanceof UnsealError)) throw error;
      }
    }
  }
}

const placeOf = (id: string): string => `webhook|${id}|secret`;
