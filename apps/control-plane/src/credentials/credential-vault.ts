import { Inject, Injectable } from '@nestjs/common';
import { credentialPlace, serverTlsPlace, type CredentialSecret } from '@portcullis/contracts/credentials';
import type { Credential } from '@portcullis/database';
import { KeyRing } from '../keys/key-ring.js';
import { StoredSecret, type CredentialSettings, type ResolvedCredential } from './stored-credential.js';

type Row = Pick<Credential, 'id' | 'version'>;

/** Both forms in which a credential's secret lies in the database: for control planes, and for nodes. */
export interface SealedCredential {
  readonly sealed: string;
  readonly sealedForNodes: string;
}

/** Secrets of credentials: in the database sealed for their row and version, in the clear only where they are used. */
@Injectable()
export class CredentialVault {
  constructor(@Inject(KeyRing) private readonly keys: KeyRing) {}

  seal(row: Row, { secret, settings }: ResolvedCredential): SealedCredential {
    return {
      sealed: this.keys.sealer().seal(JSON.stringify(secret), credentialPlace(row, 'control-plane')),
      sealedForNodes: this.keys.credentialSealer().seal(JSON.stringify(forNodes(secret, settings) ?? {}), credentialPlace(row, 'nodes')),
    };
  }

  /** Throws an UnsealError for what was sealed elsewhere, or under a key that is gone. */
  open(row: Row & Pick<Credential, 'sealed'>): StoredSecret {
    return StoredSecret.parse(JSON.parse(this.keys.sealer().open(row.sealed, credentialPlace(row, 'control-plane')).toString('utf8')));
  }

  /** The key to a server's client certificate, for nodes and control planes alike. */
  sealTlsKey(row: Row, key: string): string {
    return this.keys.credentialSealer().seal(key, serverTlsPlace(row));
  }

  openTlsKey(row: Row, sealed: string): string {
    return this.keys.credentialSealer().open(sealed, serverTlsPlace(row)).toString('utf8');
  }

  /** One value that belongs to a credential, such as a token. `place` tells those of one credential apart. */
  sealValue(id: string, place: string, value: string): string {
    return this.keys.sealer().seal(value, valuePlace(id, place));
  }

  openValue(id: string, place: string, sealed: string): string {
    return this.keys.sealer().open(sealed, valuePlace(id, place)).toString('utf8');
  }
}

export const valuePlace = (id: string, place: string): string => `credential|${id}|${place}`;

/** Undefined for what is no node's business. */
function forNodes(secret: StoredSecret, { oauth }: CredentialSettings): CredentialSecret | undefined {
  if (secret.kind === 'environment') return undefined;
  if (secret.kind === 'headers') return secret;
  // A node is given nothing by which it could outlive the connection: its tokens come one by one.
  if (secret.kind === 'authorization-code') return { kind: 'authorization-code' };
  if (oauth?.clientId == null) throw new TypeError('Client credentials name a client');
  const { tokenEndpoint, clientId, authentication, scopes, resource } = oauth;
  const scope = scopes.length === 0 ? null : scopes.join(' ');
  const client = { tokenEndpoint, clientId, clientSecret: secret.clientSecret, authentication, scope, resource };
  if (secret.kind === 'client-credentials') return { kind: secret.kind, client };
  if (oauth.exchange === undefined) throw new TypeError('An exchange names whose tokens it takes');
  return { kind: secret.kind, client, ...oauth.exchange };
}
