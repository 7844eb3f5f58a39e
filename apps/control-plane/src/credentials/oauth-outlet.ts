import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createEgress, type Egress } from '@portcullis/egress';
import type { OauthWays } from './oauth-ways.js';

/** Token of the options of credentials. */
export const CREDENTIAL_OPTIONS = 'CredentialOptions';

export interface CredentialOptions {
  /** CIDR ranges beyond the public network that authorization servers may lie in. */
  readonly egressAllow?: readonly string[] | undefined;
  /** Where browsers reach this control plane, where they do. */
  readonly publicUrl?: string | undefined;
}

/** Where a browser comes back to that runs beside the command line. Authorization servers let such an address have any port (RFC 8252 §7.3). */
const LOOPBACK_REDIRECT = 'http://127.0.0.1/callback';
export const CLIENT_METADATA_PATH = '/oauth/client-metadata.json';
export const CALLBACK_PATH = '/oauth/callback';

/** Where browsers may come back to, of an installation at this address. */
export const redirectUrisAt = (publicUrl: string | undefined): string[] => [
  LOOPBACK_REDIRECT,
  ...(publicUrl === undefined ? [] : [new URL(CALLBACK_PATH, publicUrl).href]),
];

/** The way of the control plane to authorization servers: only where this process may go, no redirect followed. */
@Injectable()
export class OauthOutlet implements OauthWays, OnApplicationShutdown {
  readonly egress: Egress;
  readonly redirectUris: readonly string[];
  readonly metadataDocument: string | undefined;

  constructor(@Inject(CREDENTIAL_OPTIONS) { egressAllow = [], publicUrl }: CredentialOptions) {
    this.egress = createEgress({ allow: egressAllow, silenceMsMax: 15_000, bodyBytesMax: 1024 * 1024 });
    this.redirectUris = redirectUrisAt(publicUrl);
    // Such a client's id is its document's address, which has to be https and to be reached by the authorization server.
    this.metadataDocument = publicUrl?.startsWith('https:') === true ? new URL(CLIENT_METADATA_PATH, publicUrl).href : undefined;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.egress.close();
  }
}
