import { CredentialSecret, credentialPlace, serverTlsPlace } from '@portcullis/contracts/credentials';
import { RUNNER_DISCOVERY_AGENT } from '@portcullis/contracts/runner/heartbeat';
import { GatewayError } from '@portcullis/contracts/errors';
import type { CredentialEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import type { TlsIdentity } from '@portcullis/egress';
import { requestClientToken, UnsealError, type UpstreamToken, type OauthFetch, type Sealer } from '@portcullis/secrets';
import { ExchangeCredential } from './exchange-credential.js';
import { PlaceCredentials } from './place-credentials.js';
import { tokenCredential } from './token-credential.js';
import { missingCredential, staticCredential, unopened, type UpstreamCredential } from './upstream-credential.js';

/** What opens credentials, and where their tokens come from. */
export interface CredentialParts {
  readonly sealer: () => Sealer;
  /** To token endpoints, only where this node may go. */
  readonly fetch: OauthFetch;
  /** The token of a connection that an operator made, from the control plane. Throws a ReconnectNeeded where it has ended. */
  readonly connectionToken: (credentialId: string, refused: string | undefined) => Promise<UpstreamToken>;
  /** One did not open: perhaps this node lacks a key. */
  readonly onUnopened: () => void;
  readonly now: () => number;
}

interface Known {
  readonly serverId: string;
  readonly version: number;
  readonly credential: UpstreamCredential;
}

/**
 * What servers are called with, by the snapshot's own entries. Each is opened once and kept while policy has it, so that tokens outlive snapshots; one
 * that was replaced is another. Nothing is looked up for a server that is called with nothing.
 */
export class UpstreamCredentials {
  private readonly known = new Map<string, Known>();
  private readonly choices = new WeakMap<ServerEntry, ReadonlyMap<string, UpstreamCredential>>();
  private readonly places: PlaceCredentials;

  constructor(private readonly parts: CredentialParts) {
    this.places = new PlaceCredentials(parts);
  }

  /** What calls of this agent go with: its own credential, else everybody's. Undefined: nothing. */
  of(server: ServerEntry, agentId: string | undefined): UpstreamCredential | undefined {
    if (server.place !== undefined) return this.places.of(server.place, agentId ?? RUNNER_DISCOVERY_AGENT);
    if (server.credentials === undefined) return undefined;
    const choice = this.choices.get(server) ?? this.choose(server);
    return (agentId === undefined ? undefined : choice.get(agentId)) ?? choice.get(EVERYBODY);
  }

  /** With which certificates a server is reached; undefined: as any other. Throws a GatewayError where they are not to be had. */
  tlsOf({ tls }: ServerEntry): TlsIdentity | undefined {
    if (tls === undefined) return undefined;
    if (tls.isMoved === true) throw new GatewayError('upstream.reconnect', { fault: 'the server has moved' });
    const { ca, certificate, sealed } = tls;
    if (sealed === undefined) return { ca };
    try {
      return { ca, certificate, key: this.parts.sealer().open(sealed, serverTlsPlace(tls)).toString('utf8') };
    } catch (error) {
      if (!(error instanceof UnsealError)) throw error;
      this.parts.onUnopened();
      throw new GatewayError('upstream.credential', { fault: 'not opened' }, { cause: error });
    }
  }

  /** Forgets what no server is called with any more. */
  keepOnly(servers: { get(id: string): ServerEntry | undefined }): void {
    for (const [id, { serverId }] of this.known)
      if (servers.get(serverId)?.credentials?.some((entry) => entry.id === id) !== true) this.known.delete(id);
  }

  private choose(server: ServerEntry): ReadonlyMap<string, UpstreamCredential> {
    const entries = server.credentials ?? [];
    const choice = new Map(entries.map((entry) => [entry.agentId ?? EVERYBODY, this.open(entry, server.id)] as const));
    // What did not open is tried again with the next call: the key may be on its way.
    if (![...choice.values()].includes(unopened)) this.choices.set(server, choice);
    return choice;
  }

  private open(entry: CredentialEntry, serverId: string): UpstreamCredential {
    const known = this.known.get(entry.id);
    if (known?.version === entry.version) return known.credential;
    const credential = this.openAnew(entry);
    if (credential !== unopened) this.known.set(entry.id, { serverId, version: entry.version, credential });
    return credential;
  }

  private openAnew(entry: CredentialEntry): UpstreamCredential {
    if (entry.sealed === '') return moved;
    let opened: unknown;
    try {
      opened = JSON.parse(this.parts.sealer().open(entry.sealed, credentialPlace(entry, 'nodes')).toString('utf8'));
    } catch (error) {
      if (error instanceof UnsealError) this.parts.onUnopened();
      return unopened;
    }
    const secret = CredentialSecret.safeParse(opened);
    return secret.success ? this.credentialOf(entry, secret.data) : unopened;
  }

  private credentialOf({ id, version }: CredentialEntry, secret: CredentialSecret): UpstreamCredential {
    const { fetch, connectionToken, now } = this.parts;
    const name = `${id}.${version}`;
    switch (secret.kind) {
      case 'headers':
        return staticCredential(name, secret.headers);
      case 'client-credentials':
        return tokenCredential(name, () => requestClientToken(secret.client, fetch), now);
      case 'token-exchange':
        return new ExchangeCredential(name, secret, { fetch, now });
      case 'authorization-code':
        return tokenCredential(name, (refused) => connectionToken(id, refused), now);
    }
  }
}

const EVERYBODY = '';
const moved = missingCredential(() => {
  throw new GatewayError('upstream.reconnect', { fault: 'the server has moved' });
});
