import { z } from 'zod';

/** How a client proves itself to a token endpoint (RFC 6749 §2.3.1); `none` for a public client. */
export const ClientAuthentication = z.enum(['client_secret_basic', 'client_secret_post', 'none']);
export type ClientAuthentication = z.infer<typeof ClientAuthentication>;

/** Client credentials (RFC 6749 §4.4) as whoever asks for a token needs them. */
export const ClientCredentials = z.object({
  tokenEndpoint: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  authentication: ClientAuthentication,
  scope: z.string().nullable(),
  /** RFC 8707: the server that the token is for. */
  resource: z.string().nullable(),
});
export type ClientCredentials = z.infer<typeof ClientCredentials>;

/** What lies in a `CredentialEntry` for nodes, by its kind. */
export const CredentialSecret = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('headers'), headers: z.array(z.tuple([z.string(), z.string()])) }),
  z.object({ kind: z.literal('client-credentials'), client: ClientCredentials }),
  /** RFC 8693: tokens of this issuer that agents call with are exchanged for the server's, never sent to it. Without an agent it asks as a client does. */
  z.object({ kind: z.literal('token-exchange'), client: ClientCredentials, subjectIssuer: z.string(), audience: z.string().nullable() }),
  /** Its tokens come from the control plane (`POST /v1/node/credentials/{id}/token`). */
  z.object({ kind: z.literal('authorization-code') }),
]);
export type CredentialSecret = z.infer<typeof CredentialSecret>;

/** What a sealed credential is bound to: the row, the version, and who is to open it. */
export const credentialPlace = (credential: { readonly id: string; readonly version: number }, reader: 'control-plane' | 'nodes'): string =>
  `credential|${credential.id}|${credential.version}|${reader}`;

/** What the sealed key to a server's client certificate is bound to. */
export const serverTlsPlace = ({ id, version }: { readonly id: string; readonly version: number }): string => `server-tls|${id}|${version}|nodes`;

/** The same for the token with which nodes come to a runner. */
export const runnerTokenPlace = (token: { readonly runnerId: string; readonly version: number }, reader: 'control-plane' | 'nodes'): string =>
  `runner-token|${token.runnerId}|${token.version}|${reader}`;
