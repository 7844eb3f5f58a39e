import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import type { OauthFetch } from '@portcullis/secrets';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ConnectionTokens } from './connection-tokens.js';
import { CredentialVault } from './credential-vault.js';
import { OauthOutlet } from './oauth-outlet.js';

/** What connections are made and kept with, in the REST server. */
@Injectable()
export class ConnectionWays {
  readonly tokens: ConnectionTokens;
  readonly redirectUris: readonly string[];
  readonly fetch: OauthFetch;

  constructor(
    @Inject(PrismaClient) database: PrismaClient,
    @Inject(RecordedChanges) changes: RecordedChanges,
    @Inject(CredentialVault) readonly vault: CredentialVault,
    @Inject(OauthOutlet) outlet: OauthOutlet,
  ) {
    this.fetch = (url, init) => outlet.egress.fetch(url, init);
    this.redirectUris = outlet.redirectUris;
    this.tokens = new ConnectionTokens({ database, vault, changes, fetch: this.fetch });
  }
}
