import { CredentialOauth } from '@portcullis/contracts/api/credentials';
import { z } from 'zod';

/** What of a credential only the control plane opens. */
export const StoredSecret = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('headers'), headers: z.array(z.tuple([z.string(), z.string()])) }),
  z.object({ kind: z.literal('client-credentials'), clientSecret: z.string() }),
  z.object({ kind: z.literal('token-exchange'), clientSecret: z.string() }),
  z.object({ kind: z.literal('authorization-code'), clientSecret: z.string().nullable() }),
  z.object({ kind: z.literal('environment'), variables: z.array(z.tuple([z.string(), z.string()])) }),
]);
export type StoredSecret = z.infer<typeof StoredSecret>;

/** What of a credential is no secret. */
export const CredentialSettings = z.object({
  /** Of the server's URL when it was written: a server that has moved may be somebody else, and is not called with it. */
  origin: z.string(),
  headers: z.array(z.string()),
  /** Names of variables. */
  variables: z.array(z.string()).default([]),
  oauth: CredentialOauth.nullable(),
  /** The authorization server names itself in its answers (RFC 9207). */
  requiresIss: z.boolean().default(false),
});
export type CredentialSettings = z.infer<typeof CredentialSettings>;

/** A credential as it was asked for, with everything found out that it did not say. */
export interface ResolvedCredential {
  readonly settings: CredentialSettings;
  readonly secret: StoredSecret;
}

/** Whether a credential was made for the address that its server has now. */
export const isMadeFor = (settings: Pick<CredentialSettings, 'origin'>, serverUrl: string): boolean => settings.origin === new URL(serverUrl).origin;
