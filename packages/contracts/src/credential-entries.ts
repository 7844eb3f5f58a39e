import { z } from 'zod';
import { Id } from './names.js';

/**
 * What a server is called with. `sealed` is a `CredentialSecret` as JSON under the key that nodes share, bound to `credentialPlace`; a node that knows no
 * such kind, or cannot open it, makes no call in its place.
 */
export const CredentialEntry = z.object({
  id: Id,
  version: z.number().int().positive(),
  kind: z.string(),
  sealed: z.string(),
  /** The agent whose calls go with it; unsaid: those of everybody who has none of their own. */
  agentId: Id.optional(),
});
export type CredentialEntry = z.infer<typeof CredentialEntry>;

/**
 * With which certificates a server is reached. `sealed` is the key to its client certificate, under the key that nodes share, bound to `serverTlsPlace`.
 * `isMoved`: they were given for another origin, and nothing is called with or without them.
 */
export const ServerTlsEntry = z.object({
  id: Id,
  version: z.number().int().positive(),
  /** PEM; who vouches for the server in the place of everybody whom the system trusts. */
  ca: z.string().optional(),
  certificate: z.string().optional(),
  sealed: z.string().optional(),
  isMoved: z.boolean().optional(),
});
export type ServerTlsEntry = z.infer<typeof ServerTlsEntry>;

/**
 * The runner that hosts a server of stdio; `url` of the server leads there. `sealed` is the runner's access token under the key that nodes share, bound
 * to `runnerTokenPlace`.
 */
export const PlaceEntry = z.object({ runnerId: Id, version: z.number().int().positive(), sealed: z.string() });
export type PlaceEntry = z.infer<typeof PlaceEntry>;
