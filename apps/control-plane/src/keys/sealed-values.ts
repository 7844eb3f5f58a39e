import { Prisma, type PrismaClient, type Transaction } from '@portcullis/database';

/** Purposes whose keys seal what lies in the database. */
export type SealingPurpose = 'sealing' | 'credential';

/** How many values lie sealed under a key. */
export interface SealedUnder {
  readonly keyId: string;
  readonly count: number;
}

// Every column that holds sealed values, by the key they are sealed under. `v1.<key id>.<bytes>`: see `Sealer`.
const values: Readonly<Record<SealingPurpose, Prisma.Sql>> = {
  sealing: Prisma.sql`
    SELECT secret AS sealed FROM webhook UNION ALL SELECT previous_secret FROM webhook
    UNION ALL SELECT sealed FROM credential UNION ALL SELECT access_token FROM runner
    UNION ALL SELECT access_token FROM credential_token UNION ALL SELECT refresh_token FROM credential_token
    UNION ALL SELECT verifier FROM credential_connection WHERE expires_at > now()`,
  credential: Prisma.sql`
    SELECT sealed_for_nodes AS sealed FROM credential UNION ALL SELECT sealed FROM server_tls UNION ALL SELECT access_token_for_nodes FROM runner`,
};

/** Under which keys of a purpose values lie, and how many. */
export async function sealedUnder(db: PrismaClient | Transaction, purpose: SealingPurpose): Promise<SealedUnder[]> {
  return db.$queryRaw<SealedUnder[]>`
    SELECT split_part(sealed, '.', 2) AS "keyId", count(*)::integer AS count FROM (${values[purpose]}) AS all_values WHERE sealed IS NOT NULL GROUP BY 1`;
}
