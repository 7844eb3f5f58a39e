import { CredentialStatus, type Credential, type CredentialKindName } from '@portcullis/contracts/api/credentials';
import type { CredentialKind } from '@portcullis/database';
import type { CredentialRow } from './credentials.repository.js';
import { CredentialSettings, isMadeFor } from './stored-credential.js';

const names: Readonly<Record<CredentialKind, CredentialKindName>> = {
  headers: 'headers',
  client_credentials: 'client-credentials',
  token_exchange: 'token-exchange',
  authorization_code: 'authorization-code',
  environment: 'environment',
};
export const kindName = (kind: CredentialKind): CredentialKindName => names[kind];
export const storedKind = (name: CredentialKindName): CredentialKind => name.replace('-', '_') as CredentialKind;

const MOVED = 'The server has moved to another origin, and is not called with a credential that was made for the one before.';

/** A credential as operators see it. */
export function toCredential(row: CredentialRow): Credential {
  const settings = CredentialSettings.parse(row.settings);
  const isMoved = !isMadeFor(settings, row.server.url);
  const status = CredentialStatus.parse(isMoved ? 'reconnect' : row.status);
  return {
    id: row.id,
    server: row.server.slug,
    agent: row.agent?.slug ?? null,
    kind: kindName(row.kind),
    version: row.version,
    hasSecret: true,
    status,
    statusReason: isMoved ? MOVED : row.statusReason,
    headers: settings.headers,
    variables: settings.variables,
    oauth: settings.oauth,
    connectedAt: row.connectedAt?.toISOString() ?? null,
    connectedBy: row.connectedBy,
    tokenExpiresAt: row.token?.accessExpiresAt?.toISOString() ?? null,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    next: nextSteps(row, status, isMoved),
  };
}

function nextSteps({ id, kind }: CredentialRow, status: CredentialStatus, isMoved: boolean): string[] {
  if (status === 'ready') return [];
  if (isMoved || kind !== 'authorization_code') return [`Give it again for where the server is now: PUT /v1/credentials/${id}`];
  return [`Make the connection: POST /v1/credentials/${id}/connect, or portcullis credential connect ${id}`];
}
