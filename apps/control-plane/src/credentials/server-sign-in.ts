import type { PrismaClient, ServerTls } from '@portcullis/database';
import type { ApartFetch, Egress } from '@portcullis/egress';
import { requestClientToken, TokenError, TokenSource, UnsealError } from '@portcullis/secrets';
import type { Fetch } from '../discovery/answer-tap.js';
import { DiscoveryFailure } from '../discovery/discovery-failure.js';
import { NotConnected, type ConnectionTokens } from './connection-tokens.js';
import type { CredentialVault } from './credential-vault.js';
import { findServersOwn, type CredentialRow } from './credentials.repository.js';
import type { RunnerCaller } from '../runners/runner-caller.js';
import { CredentialSettings, isMadeFor } from './stored-credential.js';

interface SignIn {
  readonly headers: readonly (readonly [string, string])[];
  /** Others, after the server did not take these. */
  readonly renew: (() => Promise<SignIn | undefined>) | undefined;
}

const SOURCES_MAX = 1000;

/** How the control plane itself calls servers, for discovery and replays: with the server's own credential, never with an agent's. */
export class ServerSignIn {
  /** By server; those that were not asked for longest first. */
  private readonly reached = new Map<string, { readonly place: string; readonly way: ApartFetch }>();
  private readonly sources = new Map<string, { readonly version: number; readonly source: TokenSource }>();

  constructor(
    private readonly database: PrismaClient,
    private readonly parts: {
      readonly vault: CredentialVault;
      readonly egress: Pick<Egress, 'fetch' | 'fetchWith'>;
      readonly connections: Pick<ConnectionTokens, 'token'>;
      readonly runners: Pick<RunnerCaller, 'fetchFor'>;
    },
  ) {}

  /** A fetch that goes with what the server is called with; the same one where that is nothing. Throws a DiscoveryFailure where there is no way in. */
  async fetchFor(serverId: string, plain: Fetch): Promise<Fetch> {
    const hosted = await this.parts.runners.fetchFor(serverId);
    if (hosted !== undefined) return hosted;
    const fetch = await this.reach(serverId, plain).catch(describe);
    const row = await findServersOwn(this.database, serverId);
    if (row === null) return fetch;
    const { origin } = CredentialSettings.parse(row.settings);
    let signIn = await this.signIn(row).catch(describe);
    return async (url, init) => {
      // Wherever a server points, its credential is for nobody else.
      if (new URL(url).origin !== origin) return fetch(url, init);
      const response = await fetch(url, withHeaders(init, signIn));
      // Refused before anything ran, and a body of ours can be sent twice.
      if (response.status !== 401 || signIn.renew === undefined) return response;
      const renewed = await signIn.renew().catch(describe);
      if (renewed === undefined) return response;
      await response.body?.cancel();
      signIn = renewed;
      return fetch(url, withHeaders(init, signIn));
    };
  }

  /** Over connections with the certificates that the server is reached with; kept, since each reads them anew. */
  private async reach(serverId: string, plain: Fetch): Promise<Fetch> {
    const row = await this.database.serverTls.findUnique({ where: { serverId }, include: { server: { select: { url: true } } } });
    const isMoved = row !== null && !isMadeFor(row, row.server.url);
    const place = row === null || isMoved ? undefined : `${row.id}.${row.version}`;
    const known = this.reached.get(serverId);
    this.reached.delete(serverId);
    // With what was replaced nobody is called any more.
    if (known !== undefined && known.place !== place) endSoon(known.way);
    if (isMoved) throw new DiscoveryFailure('The server has moved. Give its certificates anew, which were for its origin before.');
    if (row === null || place === undefined) return plain;
    const way = known?.place === place ? known.way : this.openWay(row);
    this.reached.set(serverId, { place, way });
    for (const [oldest, { way: unused }] of this.reached) {
      if (this.reached.size <= SOURCES_MAX) break;
      this.reached.delete(oldest);
      endSoon(unused);
    }
    return way.fetch;
  }

  private openWay(row: ServerTls): ApartFetch {
    const { ca, certificate, sealed } = row;
    const key = sealed === null ? undefined : this.parts.vault.openTlsKey(row, sealed);
    return this.parts.egress.fetchWith({ ca: ca ?? undefined, certificate: certificate ?? undefined, key });
  }

  private async signIn(row: CredentialRow): Promise<SignIn> {
    const settings = CredentialSettings.parse(row.settings);
    if (!isMadeFor(settings, row.server.url))
      throw new DiscoveryFailure('The server has moved. Replace its credential, which was made for its origin before.');
    const secret = this.parts.vault.open(row);
    if (secret.kind === 'headers') return { headers: secret.headers, renew: undefined };
    if (secret.kind === 'environment') throw new DiscoveryFailure('The credential of the server is for a program, and the server has an address.');
    if (secret.kind === 'authorization-code') {
      const { connections } = this.parts;
      const { accessToken } = await connections.token(row.id);
      return bearer(accessToken, async () => bearer((await connections.token(row.id, (token) => token === accessToken)).accessToken, undefined));
    }
    const source = this.sourceOf(row, settings, secret.clientSecret);
    const { accessToken } = await source.get();
    return bearer(accessToken, async () => {
      const renewed = await source.renew(accessToken);
      return renewed && bearer(renewed.accessToken, undefined);
    });
  }

  private sourceOf({ id, version }: CredentialRow, { oauth }: CredentialSettings, clientSecret: string): TokenSource {
    const known = this.sources.get(id);
    if (known?.version === version) return known.source;
    if (oauth?.clientId == null) throw new TypeError('Client credentials name a client');
    const { tokenEndpoint, clientId, authentication, resource } = oauth;
    const scope = oauth.scopes.length === 0 ? null : oauth.scopes.join(' ');
    const client = { tokenEndpoint, clientId, clientSecret, authentication, scope, resource };
    const source = new TokenSource(() => requestClientToken(client, (url, init) => this.parts.egress.fetch(url, init)));
    if (this.sources.size >= SOURCES_MAX) this.sources.clear();
    this.sources.set(id, { version, source });
    return source;
  }
}

/** What is under way over it ends first. */
const endSoon = (way: ApartFetch): void => void way.close().catch(() => undefined);

const bearer = (token: string, renew: SignIn['renew']): SignIn => ({ headers: [['authorization', `Bearer ${token}`]], renew });

function withHeaders(init: RequestInit | undefined, { headers }: SignIn): RequestInit {
  const all = new Headers(init?.headers);
  for (const [name, value] of headers) all.set(name, value);
  return { ...init, headers: all };
}

const NOT_CONNECTED = 'The connection to the server has to be made, or made anew: see its credential (GET /v1/credentials).';

function describe(error: unknown): never {
  if (error instanceof TokenError) throw new DiscoveryFailure(`There is no way to sign in to the server: ${error.reason}.`, { cause: error });
  if (error instanceof NotConnected) throw new DiscoveryFailure(NOT_CONNECTED, { cause: error });
  if (error instanceof UnsealError)
    throw new DiscoveryFailure('The credential of the server was sealed under a key that is gone. Replace it.', { cause: error });
  throw error;
}
