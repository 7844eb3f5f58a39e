import { randomBytes, randomUUID } from 'node:crypto';
import { credentialPlace, type CredentialSecret } from '@portcullis/contracts/credentials';
import type { CredentialEntry } from '@portcullis/contracts/snapshot';
import { createSealer, newSealingKey, type SealingKey } from '@portcullis/secrets';
import { UpstreamCredentials, type CredentialParts } from '../upstream/credentials/upstream-credentials.js';

/** What all nodes have of a fake control plane. */
export const nodesKey = { id: 'credential-1', key: Buffer.alloc(32, 5) };

/** A credential as a snapshot carries it, sealed for whoever has that key. */
export function sealedEntry(secret: CredentialSecret, rest: Partial<CredentialEntry> = {}, key: SealingKey = nodesKey): CredentialEntry {
  const row = { id: randomUUID(), version: 1, ...rest };
  return { kind: secret.kind, ...row, sealed: createSealer({ current: key }).seal(JSON.stringify(secret), credentialPlace(row, 'nodes')) };
}

/** Credentials as a snapshot carries them, and what opens them as a node would. */
export function sealedCredentials(parts: Partial<CredentialParts> = {}) {
  const key = newSealingKey();
  const sealer = createSealer({ current: key });
  const entry = (secret: CredentialSecret, rest?: Partial<CredentialEntry>): CredentialEntry => sealedEntry(secret, rest, key);
  const credentials = new UpstreamCredentials({
    sealer: () => sealer,
    fetch: (url, init) => fetch(url, init),
    connectionToken: () => Promise.reject(new Error('Nobody has made a connection')),
    onUnopened: () => undefined,
    now: () => Date.now(),
    ...parts,
  });
  const headers = (value: string, rest?: Partial<CredentialEntry>): CredentialEntry =>
    entry({ kind: 'headers', headers: [['authorization', `Bearer ${value}`]] }, rest);
  return { credentials, entry, headers };
}

/** A token endpoint for one client, its tokens numbered, and what it was asked. */
export const clientOf = (tokenEndpoint: string): Extract<CredentialSecret, { kind: 'client-credentials' }> => ({
  kind: 'client-credentials',
  client: {
    tokenEndpoint,
    clientId: 'portcullis',
    clientSecret: randomBytes(16).toString('hex'),
    authentication: 'client_secret_basic',
    scope: null,
    resource: 'https://mcp.example.com/mcp',
  },
});
