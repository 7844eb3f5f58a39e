import { randomBytes, randomUUID } from 'node:crypto';
import { credentialPlace, type CredentialSecret } from '@portcullis/contracts/credentials';
import type { CredentialEntry } from '@portcullis/contracts/snapshot';
import { createSealer, newSealingKey } from '@portcullis/secrets';
import { UpstreamCredentials, type CredentialParts } from '../upstream/credentials/upstream-credentials.js';

/** Credentials as a snapshot carries them, and what opens them as a node would. */
export function sealedCredentials(parts: Partial<CredentialParts> = {}) {
  const sealer = createSealer({ current: newSealingKey() });
  const entry = (secret: CredentialSecret, rest: Partial<CredentialEntry> = {}): CredentialEntry => {
    const row = { id: randomUUID(), version: 1, ...rest };
    return { kind: secret.kind, ...row, sealed: sealer.seal(JSON.stringify(secret), credentialPlace(row, 'nodes')) };
  };
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
